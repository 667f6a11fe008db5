"""The catalog of other credentials that people bring: names and issuers, as a file says them.

The file is ``config/credentials.toml``. A credential on record is of one of these kinds. Validities
are not in it: a record says what is printed on the certificate.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from tracker.domain.errors import Invalid
from tracker.domain.schemes.activity_types import Provenance
from tracker.domain.schemes.keys import INLINE, Between, Code, Longest, Named

Days = Annotated[int, "Days before the expiration date.", Between(0, 730)]
Level = Annotated[str, "A level.", Longest(32)]


@dataclass(frozen=True, slots=True)
class CredentialKind:
    """A credential of another issuer, or an earlier one of ours. Without levels it has one."""

    code: str
    name: Annotated[str, "Its name.", Longest(200)]
    issuer: Annotated[str, "Who issues it.", Longest(200)]
    provenance: Annotated[Provenance, INLINE]
    levels: Annotated[tuple[Level, ...], "Its levels, the lowest first."] = ()


@dataclass(frozen=True, slots=True)
class CredentialActivity:
    """What a policy calls a credential that is claimed for points."""

    category: Annotated[Code, "The category."]
    type: Annotated[Code, "The type."]


@dataclass(frozen=True, slots=True)
class CredentialCatalog:
    """All kinds of credentials, what they are claimed as, and when their holders are reminded."""

    by_code: Annotated[Mapping[str, CredentialKind], "The kinds.", Named("credentials")]
    activity: Annotated[CredentialActivity, "What an activity says when one is claimed."]
    remind: Annotated[tuple[Days, ...], "When holders are reminded of an expiration."]

    def kind(self, code: str) -> CredentialKind:
        """The kind with this code. Raises Invalid with those that were probably meant."""
        found = self.by_code.get(code)
        if found is None:
            near = difflib.get_close_matches(code, self.by_code, n=3)
            meant = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
            rule = f"must be a code of the catalog (GET /credentials){meant}"
            raise Invalid(f"There is no credential {code!r}.", fields={"credential": rule})
        return found
