"""What the public page of a certificate says to programs that read schema.org.

It is a block of data: no browser runs it, whatever the policy says of scripts. It tells how the
certificate stands, and not whose it is: the page says that to people, but no collector of such
data needs it.
"""

from __future__ import annotations

import orjson
from markupsafe import Markup

from tracker.domain.schemes.activity_types import ENGLISH, translated
from tracker.services.credentials.verification import Verified


def of(found: Verified, address: str) -> Markup:
    """The standing of a certificate as JSON-LD; ``address`` is that of its page, if it has one."""
    scheme, standing = found.scheme, found.standing
    name = translated(found.module.name, ENGLISH) if found.module else scheme.full_name(ENGLISH)
    told: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "EducationalOccupationalCredential",
        "name": name,
        "credentialCategory": "certificate" if found.module else "certification",
        "identifier": found.number,
        "recognizedBy": {"@type": "Organization", "name": scheme.issuer},
        "creativeWorkStatus": _status(found),
    }
    if not found.is_withdrawn:
        told["dateCreated"] = found.awarded_on
    if standing.expires_on is not None and not found.has_no_last_day:
        told["expires"] = standing.expires_on
    if address:
        told["url"] = address
    # In a page, the data must not end the block that it stands in.
    return Markup(orjson.dumps(told).decode().replace("<", "\\u003c"))  # noqa: S704 - escaped here


def _status(found: Verified) -> str:
    """How it stands; of a holder who has died no more than that it is not in force."""
    if found.standing.valid:
        return "valid"
    return "not in force" if found.is_over else str(found.standing.status)
