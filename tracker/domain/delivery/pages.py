"""Which page of ours the button of a message opens.

Who is signed in lands there; anybody else signs in first and then comes back to it: the button
itself signs nobody in. Messages with a secret (to sign in, to accept an invitation, to choose a
password) have links of their own instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

REMINDER, DIGEST = "reminder", "digest"


class MessagePage(StrEnum):
    """A page that a button opens; ``{id}`` is the id of a certification.

    ``MEMBERS`` is the account of people who sign in with a password. A page for an employer's
    workers does not exist yet: the account stands for it.
    """

    ACCOUNT = "/account"
    CERTIFICATION = "/account/certifications/{id}"
    ACTIVITIES = "/account/certifications/{id}/activities"
    RENEWAL = "/account/certifications/{id}/renewal"
    APPEALS = "/account/certifications/{id}/appeals"
    MEMBERS = "/sign-in/password?next=/account"
    AUDITS = "/account/audits"
    SHARING = "/account/sharing"
    PASSKEYS = "/account/passkeys"
    DATA = "/account/data"
    FORGOTTEN = "/password/forgotten"
    START = "/"


OPENS: Mapping[str, MessagePage] = {
    REMINDER: MessagePage.CERTIFICATION,
    DIGEST: MessagePage.MEMBERS,
    # What a notice tells.
    "revoked": MessagePage.CERTIFICATION,
    "suspended": MessagePage.CERTIFICATION,
    "award_withdrawn": MessagePage.ACCOUNT,
    "renewal_denied": MessagePage.RENEWAL,
    "appeal_dismissed": MessagePage.APPEALS,
    "renewal_reopened": MessagePage.RENEWAL,
    "appeal_upheld": MessagePage.APPEALS,
    "reinstated": MessagePage.CERTIFICATION,
    "award_restored": MessagePage.CERTIFICATION,
    "extension_ended": MessagePage.CERTIFICATION,
    "renewal_approved": MessagePage.RENEWAL,
    "award": MessagePage.CERTIFICATION,
    "award_corrected": MessagePage.CERTIFICATION,
    "module_withdrawn": MessagePage.ACCOUNT,
    "module_restored": MessagePage.ACCOUNT,
    "module_corrected": MessagePage.ACCOUNT,
    "module_passed": MessagePage.ACCOUNT,
    "extended": MessagePage.CERTIFICATION,
    "requirement_raised": MessagePage.CERTIFICATION,
    "requirement_reduced": MessagePage.CERTIFICATION,
    "more_information": MessagePage.ACTIVITIES,
    "rejected": MessagePage.ACTIVITIES,
    "activity_reopened": MessagePage.ACTIVITIES,
    "partly": MessagePage.ACTIVITIES,
    "approved": MessagePage.ACTIVITIES,
    "activity_submitted": MessagePage.ACTIVITIES,
    "audit_asked": MessagePage.AUDITS,
    "audit_reminded": MessagePage.AUDITS,
    "audit_confirmed": MessagePage.AUDITS,
    "audit_reduced": MessagePage.AUDITS,
    "audit_rejected": MessagePage.AUDITS,
    "audit_called_off": MessagePage.AUDITS,
    "audit_appealed": MessagePage.AUDITS,
    "appeal_received": MessagePage.APPEALS,
    "renewal_received": MessagePage.RENEWAL,
    "consent_asked": MessagePage.SHARING,
    "listed": MessagePage.SHARING,
    "employer_renamed": MessagePage.SHARING,
    "employment_ended": MessagePage.SHARING,
    "employer_nudge": MessagePage.ACCOUNT,
    "permission_given": MessagePage.ACCOUNT,
    "credential_expires": MessagePage.ACCOUNT,
    "fee_due": MessagePage.ACCOUNT,
    "fee_paid": MessagePage.ACCOUNT,
    "fee_waived": MessagePage.ACCOUNT,
    "fee_refund_due": MessagePage.ACCOUNT,
    "fee_refunded": MessagePage.ACCOUNT,
    "request_granted_correction": MessagePage.ACCOUNT,
    "request_granted_exemption": MessagePage.ACCOUNT,
    "request_granted_extension": MessagePage.ACCOUNT,
    "request_refused_correction": MessagePage.ACCOUNT,
    "request_refused_exemption": MessagePage.ACCOUNT,
    "request_refused_extension": MessagePage.ACCOUNT,
    "request_refused": MessagePage.ACCOUNT,
    "request_granted": MessagePage.ACCOUNT,
    "records_merged": MessagePage.ACCOUNT,
    "records_parted": MessagePage.ACCOUNT,
    "attendance_draft": MessagePage.ACCOUNT,
    "attendance_changed": MessagePage.ACCOUNT,
    "attendance_removed": MessagePage.ACCOUNT,
    # What happened to an account. Whoever it was not must be able to shut others out.
    "password_changed": MessagePage.FORGOTTEN,
    "factor_changed": MessagePage.FORGOTTEN,
    "factor_reset": MessagePage.FORGOTTEN,
    "recovery_codes": MessagePage.FORGOTTEN,
    "passkey_added": MessagePage.PASSKEYS,
    "passkey_removed": MessagePage.PASSKEYS,
    "provider_bound": MessagePage.ACCOUNT,
    "provider_unbound": MessagePage.FORGOTTEN,
    "erasure_refused": MessagePage.DATA,
    "password_removed": MessagePage.ACCOUNT,
    "address_changed": MessagePage.ACCOUNT,
    "rights_changed": MessagePage.MEMBERS,
    "deactivated": MessagePage.START,
    "results_accepted": MessagePage.MEMBERS,
    "results_sent_back": MessagePage.MEMBERS,
}
"""The page of every kind of message, by what it tells."""


def path_of(told: Iterable[tuple[str, str | None]]) -> str:
    """The page for a message that tells these things, each with the id of its certification.

    The id is None if there is none that the holder has today. Things about one certification share
    its page, others the account, which shows them all.

    >>> path_of([("approved", "7"), ("rejected", "7")])
    '/account/certifications/7/activities'
    >>> path_of([("approved", "7"), ("renewal_approved", "7")])
    '/account/certifications/7'
    >>> path_of([("approved", "7"), ("award", "8")])
    '/account'
    """
    listed = list(told)
    paths = {_path(what, id_) for what, id_ in listed}
    if len(paths) == 1:
        return paths.pop()
    about = {id_ if "{id}" in OPENS[what] else None for what, id_ in listed}
    id_ = about.pop() if len(about) == 1 else None
    return MessagePage.ACCOUNT if id_ is None else MessagePage.CERTIFICATION.replace("{id}", id_)


def _path(what: str, id_: str | None) -> str:
    page = OPENS[what]
    if "{id}" not in page:
        return page
    return MessagePage.ACCOUNT if id_ is None else page.replace("{id}", id_)
