"""Tables by noun. No decisions: constraints and columns only."""

from tracker.db import Base
from tracker.models.access import IdempotencyKey, Token, Usage
from tracker.models.activities import Activity, Decision, Evidence
from tracker.models.assessments import Assessment, Center, CenterApproval
from tracker.models.certifications import (
    Adjustment,
    AdjustmentBatch,
    Appeal,
    Certification,
    Cycle,
    FormerRenewalDecision,
    Renewal,
    Span,
    StandingChange,
)
from tracker.models.employers import Employer, EmployerBar, RosterEntry, Sharing
from tracker.models.history import HistoryEntry, HistoryValue, ImportRun
from tracker.models.holders import FormerName, Holder, Request
from tracker.models.migrations import AppliedMigration
from tracker.models.notices import Digest, DigestOrder, Notice, Preference
from tracker.models.outbox import (
    Bounce,
    Message,
    RelayAccept,
    Runtime,
    Suppression,
    Tally,
)
from tracker.models.policies import PolicyPublication
from tracker.models.reminders import Reminder, ReminderCursor

__all__ = [
    "Activity", "Adjustment", "AdjustmentBatch", "Appeal", "AppliedMigration", "Assessment", "Base",
    "Bounce", "Center", "CenterApproval", "Certification", "Cycle", "Decision", "Digest",
    "DigestOrder", "Employer", "EmployerBar", "Evidence", "FormerName", "FormerRenewalDecision",
    "HistoryEntry", "HistoryValue", "Holder", "IdempotencyKey", "ImportRun", "Message", "Notice",
    "PolicyPublication", "Preference", "RelayAccept", "Reminder", "ReminderCursor", "Renewal",
    "Request", "RosterEntry", "Runtime", "Sharing", "Span", "StandingChange", "Suppression",
    "Tally", "Token", "Usage",
]  # fmt: skip
