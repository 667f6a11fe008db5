"""Whose the rows of each table are: PostgreSQL's policies, a second wall behind the services.

Every table is in ``POLICIES`` or in ``EVERYBODYS``, with the reason. A policy restricts a role that
does not own the tables (``tracker/row_security.py``); migrations make it, and the tests compare
both. Staff and the parts of the program see every row. A holder sees what is about them, an
employer its own rows and those of the holders who share with it, another organization its own, and
whoever verifies a certificate sees the holder whose certificate they asked for.

Invariant: the wall never shows more than a service would. Where it cannot be as narrow (an
employer sees of a holder who shares without points the claims, too), the service is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tracker.domain.permissions import ORGANIZATIONS, OrganizationRole

_ALL = "(select tracker_sees_all())"
_STAFF = _ALL


@dataclass(frozen=True, slots=True)
class RowPolicy:
    """Conditions on a row, in SQL: who reads it, who changes or deletes it, who adds it.

    Without ``writes`` those who read; without ``adds`` those who change.
    """

    reads: str
    writes: str | None = None
    adds: str | None = None

    def statements(self, table: str) -> Iterator[str]:
        """What puts the policy on a table."""
        yield f"alter table {table} enable row level security"
        writes = self.writes or self.reads
        adds = self.adds or writes
        if writes == adds == self.reads:
            yield f"create policy rows on {table} using ({self.reads})"
            return
        yield f"create policy reads on {table} for select using ({self.reads})"
        yield f"create policy adds on {table} for insert with check ({adds})"
        yield f"create policy changes on {table} for update using ({writes})"
        yield f"create policy deletes on {table} for delete using ({writes})"


def _either(*conditions: str) -> str:
    return " or ".join((_ALL, *conditions))


def _holder(column: str = "holder_id") -> str:
    return f"{column} = (select tracker_holder())"


def _organization(role: OrganizationRole) -> str:
    return f"{role}_id = (select tracker_{role}())"


def _employer() -> str:
    return _organization("employer")


def _asked(column: str = "holder_id") -> str:
    return f"{column} = any ((select tracker_asked_holders())::uuid[])"


def _shares(table: str, column: str = "holder_id") -> str:
    """The holder of the row shares with the employer who reads it."""
    return (
        f"exists (select from sharing where sharing.holder_id = {table}.{column}"
        " and sharing.employer_id = (select tracker_employer()) and sharing.ended_at is null)"
    )


def _with(table: str, parent: str, column: str, *, writing: bool = False) -> str:
    """The row goes with a row of another table, which the policy of that table shows."""
    condition = f"{parent}.id = {table}.{column}"
    if writing:
        condition += f" and {parent}.{_holder()}"
    return f"exists (select from {parent} where {condition})"


def _of_certifications(table: str) -> RowPolicy:
    """Rows of a certification, which employers read and only the holder writes."""
    seen = _with(table, "certification", "certification_id")
    return RowPolicy(
        reads=_either(f"(select tracker_asked_holders()) is null and {seen}"),
        writes=_either(_with(table, "certification", "certification_id", writing=True)),
    )


def _only_holders(table: str, parent: str, column: str) -> RowPolicy:
    """Rows of a record that employers read, which they themselves do not read."""
    return RowPolicy(_either(_with(table, parent, column, writing=True)))


def _of_accounts(table: str) -> RowPolicy:
    return RowPolicy(_either(_with(table, "account", "account_id")))


_OF_BOTH = RowPolicy(_either(_holder(), _employer()))
_OF_HOLDERS = RowPolicy(_either(_holder()))
_OF_EMPLOYERS = RowPolicy(_either(_employer()))
_OF_PROVIDERS = RowPolicy(_either(_organization("provider")))
_OF_STAFF = RowPolicy(_STAFF)
_ANY_ORGANIZATION = [_organization(role) for role in ORGANIZATIONS]
_OF_ORGANIZATIONS = RowPolicy(_either(*_ANY_ORGANIZATION))
_OF_EVERYBODY_WHO_ACTS = RowPolicy(_either(_holder(), *_ANY_ORGANIZATION))
_STAFF_READS_ANYBODY_ADDS = RowPolicy(_STAFF, adds="true")
_OF_CONSENTING = RowPolicy(
    reads=_either(
        _holder(),
        f"{_organization('sponsor')} and consented_at is not null and consent_ended_at is null",
    ),
    writes=_either(_holder()),
)

POLICIES: Mapping[str, RowPolicy] = {
    "account": _OF_EVERYBODY_WHO_ACTS,
    "activity": RowPolicy(reads=_either(_holder(), _shares("activity")), writes=_either(_holder())),
    "activity_decision": RowPolicy(
        reads=_either(_with("activity_decision", "activity", "activity_id")), writes=_STAFF
    ),
    "adjustment_batch": _OF_STAFF,
    "appeal": _only_holders("appeal", "certification", "certification_id"),
    "apprenticeship": _OF_CONSENTING,
    "approval": _OF_STAFF,
    "assessment": RowPolicy(
        reads=_either(_holder(), _shares("assessment"), _organization("center")),
        writes=_either(_holder()),
    ),
    "attendance": RowPolicy(_either(_holder(), _organization("provider"))),
    "attendance_code": _OF_PROVIDERS,
    "audit_item": _OF_HOLDERS,
    "authenticator": _of_accounts("authenticator"),
    "bounce": _OF_STAFF,
    "center_result": RowPolicy(
        reads=_either(_holder(), _organization("center")), writes=_either(_organization("center"))
    ),
    "certification": RowPolicy(
        reads=_either(_holder(), _shares("certification"), _asked()), writes=_either(_holder())
    ),
    "claim_audit": _OF_STAFF,
    "course": _OF_PROVIDERS,
    "cycle": _of_certifications("cycle"),
    "cycle_adjustment": _of_certifications("cycle_adjustment"),
    "digest": _OF_EMPLOYERS,
    "digest_order": _OF_EMPLOYERS,
    "discrepancy": RowPolicy(_either(_holder(), _with("discrepancy", "course", "course_id"))),
    "employer_bar": _OF_HOLDERS,
    "employer_look": RowPolicy(
        reads=_either(_employer(), "tracker_saw_holder(id)"), writes=_either(_employer())
    ),
    "employer_nudge": RowPolicy(reads=_either(_holder(), _employer()), writes=_either(_employer())),
    "employment_confirmation": _OF_BOTH,
    "erasure": _OF_HOLDERS,
    "evidence": _only_holders("evidence", "activity", "activity_id"),
    "fee": _OF_HOLDERS,
    "former_name": RowPolicy(reads=_either(_holder(), _asked()), writes=_either(_holder())),
    "former_renewal_decision": RowPolicy(
        reads=_either(_with("former_renewal_decision", "renewal", "renewal_id")), writes=_STAFF
    ),
    "history": _STAFF_READS_ANYBODY_ADDS,
    "history_value": _STAFF_READS_ANYBODY_ADDS,
    "holder": RowPolicy(
        reads=_either(_holder("id"), _shares("holder", "id"), _asked("id")),
        writes=_either(_holder("id")),
    ),
    "holder_word": _OF_HOLDERS,
    "idempotency_key": RowPolicy(
        _either(
            _with("idempotency_key", "token", "token_id"),
            _with("idempotency_key", "login_session", "session_id"),
        )
    ),
    "import_run": _OF_ORGANIZATIONS,
    "invitation": _OF_ORGANIZATIONS,
    "job_requirement": _OF_EMPLOYERS,
    "likely_duplicate": _OF_STAFF,
    "login_session": _of_accounts("login_session"),
    "managed_case": _OF_CONSENTING,
    "merged_row": _OF_STAFF,
    "message": _OF_BOTH,
    "module_certificate": RowPolicy(reads=_either(_holder(), _asked()), writes=_either(_holder())),
    "notice": _OF_HOLDERS,
    "open_review": _OF_STAFF,
    "other_credential": RowPolicy(
        reads=_either(_holder(), _shares("other_credential")), writes=_either(_holder())
    ),
    "passkey": _of_accounts("passkey"),
    "password_hash": _of_accounts("password_hash"),
    "pathway_choice": _OF_HOLDERS,
    "preference": _OF_HOLDERS,
    "provider_identity": _of_accounts("provider_identity"),
    "record_merge": _OF_STAFF,
    "problem_report": _STAFF_READS_ANYBODY_ADDS,
    "record_writer": _STAFF_READS_ANYBODY_ADDS,
    "recovery": _OF_STAFF,
    "recovery_code": _of_accounts("recovery_code"),
    "reminder": _only_holders("reminder", "certification", "certification_id"),
    "reminder_cursor": _only_holders("reminder_cursor", "certification", "certification_id"),
    "renewal": _of_certifications("renewal"),
    "request": _OF_HOLDERS,
    "request_proof": _only_holders("request_proof", "request", "request_id"),
    "roster_entry": _OF_BOTH,
    "sharing": _OF_BOTH,
    "sign_in": RowPolicy(_either(_holder(), _with("sign_in", "account", "account_id"))),
    "staffing_minimum": _OF_EMPLOYERS,
    "standing_change": _of_certifications("standing_change"),
    "standing_span": RowPolicy(
        reads=_either(_with("standing_span", "certification", "certification_id")),
        writes=_either(_with("standing_span", "certification", "certification_id", writing=True)),
    ),
    "suppression": _OF_STAFF,
    "token": _OF_EVERYBODY_WHO_ACTS,
    "work_permission": _OF_BOTH,
    "worker_seen": RowPolicy(_either(_holder(), _with("worker_seen", "employer_look", "look_id"))),
}
"""The policy of each table whose rows belong to somebody."""

EVERYBODYS: Mapping[str, str] = {
    "applied_migration": "says how far the schema has come",
    "center": "a public directory",
    "center_approval": "a public directory",
    "employer": "holders choose the companies with which they share",
    "history_block": "digests, which say nothing of what was written",
    "history_head": "digests, and every transaction moves it on",
    "job_run": "when each job last ran, which names nobody",
    "policy_publication": "public rules",
    "provider": "a public directory",
    "relay_accept": "ids of messages, which name nobody",
    "runtime": "one row about this database",
    "sponsor": "a public directory",
    "tally": "sums over everybody",
    "usage": "counts under keyed hashes, which name nobody",
}
"""Why everybody may read the rows of these tables, as far as the services let them."""
