"""Notices: of what a holder is told, and which messages a holder can switch off."""

from __future__ import annotations

from enum import StrEnum


class NoticeKind(StrEnum):
    """What happened that a holder is told of."""

    AWARD = "award"
    AWARD_CORRECTED = "award_corrected"
    AWARD_WITHDRAWN = "award_withdrawn"
    ACTIVITY_DECIDED = "activity_decided"
    ACTIVITY_REOPENED = "activity_reopened"
    RENEWAL_DECIDED = "renewal_decided"
    RENEWAL_REOPENED = "renewal_reopened"
    APPEAL_DECIDED = "appeal_decided"
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    REVOKED = "revoked"
    ADJUSTED = "adjusted"
    CONSENT_ASKED = "consent_asked"
    LISTED = "listed"
    EMPLOYER_RENAMED = "employer_renamed"
    EMPLOYMENT_ENDED = "employment_ended"
    REQUEST_DECIDED = "request_decided"
    ACTIVITY_SUBMITTED = "activity_submitted"
    RENEWAL_RECEIVED = "renewal_received"
    APPEAL_RECEIVED = "appeal_received"
    RECORDS_MERGED = "records_merged"
    MODULE_CERTIFICATE = "module_certificate"
    CREDENTIAL_EXPIRES = "credential_expires"
    ATTENDANCE = "attendance"
    AUDIT_ASKED = "audit_asked"
    AUDIT_DECIDED = "audit_decided"
    AUDIT_APPEALED = "audit_appealed"
    FEE_CHANGED = "fee_changed"
    PERMISSION_GIVEN = "permission_given"
    EMPLOYER_NUDGE = "employer_nudge"


class MessageType(StrEnum):
    """A type of message that a holder can switch off; a message of no type is always sent."""

    REMINDERS = "reminders"
    DECISIONS = "decisions"
