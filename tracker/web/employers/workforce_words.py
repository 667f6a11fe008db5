"""What the pages about an employer's workers say, in English and Spanish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request

from tracker.domain.employers.workforce import Thresholds, WorkforceSegment
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.web import navigation
from tracker.web.navigation import NavigationLink

_LONGEST_COUNT = 6
_STORED = ("created", "changed", "unchanged")


@dataclass(frozen=True, slots=True)
class WorkforceWords:
    """One language's words."""

    title: str
    parts_label: str
    workers: str
    add: str
    requirements: str
    kiosk: str
    staffing: str
    looks: str
    permissions: str
    confirmations: str
    digest: str
    count_one: str
    count_other: str
    as_of: str
    another_day: str
    picture: str
    legend: str
    months: str
    months_picture: str
    months_table: str
    month: str
    expire: str
    none_expire: str
    list: str
    filter: str
    group: str
    everyone: str
    site: str
    department: str
    shift: str
    any: str
    number: str
    day: str
    scheme: str
    show: str
    clear: str
    chosen: str
    expires_between: str
    begins: str
    name: str
    not_named: str
    employee: str
    employee_id: str
    status: str
    expires: str
    left: str
    points: str
    where: str
    points_of: str
    points_enough: str
    days_left_one: str
    days_left_other: str
    days_past_one: str
    days_past_other: str
    last_day: str
    never: str
    next: str
    first: str
    csv: str
    xlsx: str
    print: str
    ask: str
    nudge: str
    nobody: str
    nobody_next: str
    nobody_view: str
    no_match: str
    wrong_filter: str
    wrong_day: str
    ended: str
    asked_one: str
    asked_other: str
    nudged_one: str
    nudged_other: str
    ordered: str
    called_off: str
    stored: str
    report: str
    report_as_of: str
    report_checked: str
    report_filter: str
    report_workers: str
    report_note: str
    report_check: str
    report_too_long: str
    certificate: str
    back: str
    segments: dict[str, str]
    statuses: dict[str, str]
    reasons: dict[str, str]

    def segment_names(self, thresholds: Thresholds) -> Mapping[str, str]:
        """The names of the parts of the workforce; those that fall due with their days."""
        first, second, third = thresholds.within.values()
        days = {
            WorkforceSegment.DUE_SECOND: (first + 1, second),
            WorkforceSegment.DUE_THIRD: (second + 1, third),
            WorkforceSegment.LATER: (third + 1, third),
        }
        told: dict[str, str] = {}
        for code, text in self.segments.items():
            since, until = days.get(WorkforceSegment(code), (0, first))
            told[code] = text.format(since=since, until=until)
        return told

    def people(self, count: int) -> str:
        """A number of workers in words."""
        return (self.count_one if count == 1 else self.count_other).format(f"{count:,}")

    def stored_in_words(self, counts: str) -> str:
        """What an upload did, from its three numbers; empty for anything else."""
        found = [one[:_LONGEST_COUNT] for one in counts.split("-") if one.isdecimal()]
        if len(found) != len(_STORED):
            return ""
        return self.stored.format(**dict(zip(_STORED, found, strict=True)))

    def left_in_words(self, days: int) -> str:
        """How long a certification still lasts, or for how long it has been over."""
        if days == 0:
            return self.last_day
        if days > 0:
            return (self.days_left_one if days == 1 else self.days_left_other).format(f"{days:,}")
        return (self.days_past_one if days == -1 else self.days_past_other).format(f"{-days:,}")


WORDS = {
    lang: WorkforceWords(**catalogues.topic(lang, "workforce_pages"))
    for lang in catalogues.LANGUAGES
}


def parts(actor: Actor, language: str) -> list[NavigationLink]:
    """The links between the pages of an employer; changing the list is for those who manage."""
    say = WORDS[language]
    places = [
        ("/employer", say.workers, False),
        ("/employer/roster", say.add, True),
        ("/employer/requirements", say.requirements, False),
        ("/employer/kiosk", say.kiosk, False),
        ("/employer/staffing", say.staffing, False),
        ("/employer/confirmations", say.confirmations, True),
        ("/employer/permissions", say.permissions, True),
        ("/employer/looks", say.looks, True),
        ("/employer/digest", say.digest, False),
    ]
    manages = "write" in actor.scopes
    return navigation.of_places(
        [(href, text) for href, text, to_manage in places if manages or not to_manage]
    )


def done(language: str) -> str:
    """What the page before has just done, as the address tells; empty if it tells nothing."""
    say = WORDS[language]
    name, _, count = request.args.get("done", "").partition("-")
    if name == "asked" and count.isdecimal():
        return say.asked_one if count == "1" else say.asked_other.format(count[:_LONGEST_COUNT])
    if name == "nudged" and count.isdecimal():
        return say.nudged_one if count == "1" else say.nudged_other.format(count[:_LONGEST_COUNT])
    if name == "stored":
        return say.stored_in_words(count)
    told = {"ended": say.ended, "ordered": say.ordered, "called_off": say.called_off}
    return told.get(name, "")
