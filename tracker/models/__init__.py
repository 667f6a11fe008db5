"""Tables, one module for each topic: columns, constraints and indexes. No decisions.

Constraints are the last word: services write and let the database refuse; they do not check first.
A changed table needs a migration (``migrations/versions``); the tests compare the two. Instants
are ``Instant`` columns, points and money are ``AmountColumn``, ids are UUIDv7 as text
(``tracker.db``).
"""

from tracker.db import Base
from tracker.models.accounts import (
    Account,
    Authenticator,
    Invitation,
    LoginSession,
    Passkey,
    PasswordHash,
    ProviderIdentity,
    RecoveryCode,
    SignIn,
)
from tracker.models.activities import Activity, Decision, Evidence
from tracker.models.adjustments import Adjustment, AdjustmentBatch
from tracker.models.allowances import Usage
from tracker.models.appeals import Appeal
from tracker.models.apprenticeships import Apprenticeship, ManagedCase
from tracker.models.approvals import ActApproval
from tracker.models.assessments import Assessment, Center, CenterApproval
from tracker.models.audits import AuditItem, ClaimAudit
from tracker.models.bounces import Bounce, Suppression
from tracker.models.center_results import CenterResult
from tracker.models.certifications import Certification, Cycle, Span
from tracker.models.confirmations import EmploymentConfirmation, WorkPermission
from tracker.models.consents import EmployerBar, Sharing
from tracker.models.counters import Counter
from tracker.models.courses import Attendance, AttendanceCode, Course, Discrepancy
from tracker.models.digests import Digest, DigestOrder
from tracker.models.employers import Employer, JobRequirement, RosterEntry, StaffingMinimum
from tracker.models.erasures import Erasure
from tracker.models.fees import Fee
from tracker.models.history import HistoryBlock, HistoryEntry, HistoryHead, HistoryValue
from tracker.models.holders import FormerName, Holder, HolderRequest, HolderWord, RequestProof
from tracker.models.idempotency import IdempotencyKey
from tracker.models.import_runs import ImportRun
from tracker.models.job_runs import JobRun
from tracker.models.looks import EmployerLook, WorkerSeen
from tracker.models.merges import LikelyDuplicate, MergedRow, RecordMerge
from tracker.models.migrations import AppliedMigration
from tracker.models.module_certificates import ModuleCertificate
from tracker.models.notices import Notice
from tracker.models.nudges import EmployerNudge
from tracker.models.organizations import Provider, Sponsor
from tracker.models.other_credentials import OtherCredential, PathwayChoice
from tracker.models.outbox import Message
from tracker.models.policies import PolicyPublication
from tracker.models.preferences import Preference
from tracker.models.problem_reports import ProblemReport
from tracker.models.recoveries import Recovery
from tracker.models.relay import RelayAccept, Runtime
from tracker.models.reminders import Reminder, ReminderCursor
from tracker.models.renewals import FormerRenewalDecision, Renewal
from tracker.models.reviews import OpenReview
from tracker.models.standing_changes import StandingChange
from tracker.models.tokens import Token
from tracker.models.writers import RecordWriter

__all__ = [
    "Account",
    "ActApproval",
    "Activity",
    "Adjustment",
    "AdjustmentBatch",
    "Appeal",
    "AppliedMigration",
    "Apprenticeship",
    "Assessment",
    "Attendance",
    "AttendanceCode",
    "AuditItem",
    "Authenticator",
    "Base",
    "Bounce",
    "Center",
    "CenterApproval",
    "CenterResult",
    "Certification",
    "ClaimAudit",
    "Counter",
    "Course",
    "Cycle",
    "Decision",
    "Digest",
    "DigestOrder",
    "Discrepancy",
    "Employer",
    "EmployerBar",
    "EmployerLook",
    "EmployerNudge",
    "EmploymentConfirmation",
    "Erasure",
    "Evidence",
    "Fee",
    "FormerName",
    "FormerRenewalDecision",
    "HistoryBlock",
    "HistoryEntry",
    "HistoryHead",
    "HistoryValue",
    "Holder",
    "HolderRequest",
    "HolderWord",
    "IdempotencyKey",
    "ImportRun",
    "Invitation",
    "JobRequirement",
    "JobRun",
    "LikelyDuplicate",
    "LoginSession",
    "ManagedCase",
    "MergedRow",
    "Message",
    "ModuleCertificate",
    "Notice",
    "OpenReview",
    "OtherCredential",
    "Passkey",
    "PasswordHash",
    "PathwayChoice",
    "PolicyPublication",
    "Preference",
    "ProblemReport",
    "Provider",
    "ProviderIdentity",
    "RecordMerge",
    "RecordWriter",
    "Recovery",
    "RecoveryCode",
    "RelayAccept",
    "Reminder",
    "ReminderCursor",
    "Renewal",
    "RequestProof",
    "RosterEntry",
    "Runtime",
    "Sharing",
    "SignIn",
    "Span",
    "Sponsor",
    "StaffingMinimum",
    "StandingChange",
    "Suppression",
    "Token",
    "Usage",
    "WorkPermission",
    "WorkerSeen",
]
