"""What the page about the state of the installation says, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class OperationsWords:
    """One language's words."""

    title: str
    fine: str
    problems_one: str
    problems_other: str
    checked: str
    sending: str
    sends: str
    sends_not: str
    reason: str
    enable: str
    disable: str
    enable_why: str
    disable_why: str
    no_reason: str
    findings: str
    check: str
    state: str
    detail: str
    fix: str
    more: str
    queue: str
    message: str
    count: str
    oldest: str
    oldest_of: str
    none_late: str
    jobs: str
    job: str
    ended: str
    took: str
    seconds: str
    outcome: str
    done: str
    failed: str
    next: str
    overdue: str
    no_jobs: str
    runs: str
    heartbeat: str
    never: str
    run: str
    at: str
    result: str
    no_runs: str
    versions: str
    english: str
    version_names: dict[str, str]
    states: dict[str, str]
    message_states: dict[str, str]
    groups: dict[str, str]


WORDS = {
    lang: OperationsWords(**catalogues.topic(lang, "operations_pages"))
    for lang in catalogues.LANGUAGES
}
