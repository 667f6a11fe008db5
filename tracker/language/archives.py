"""What is on record about a person, to read: a summary in their archive, a transcript to show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tracker.domain.schemes.activity_types import translated
from tracker.domain.schemes.schemes import Schemes
from tracker.language import catalogues, consents, voice
from tracker.language.reports import Report, ReportTable

PersonalRecord = Mapping[str, Any]
"""What ``services/overview/personal_archives.facts`` says about a person."""

MOST_ROWS = 500
"""The most rows of one table; the newest are shown."""
MOST_EVENTS = 50
"""The same, for what happens without the person: messages, and looks of employers."""
_COUNTED = (
    "former_names",
    "accounts",
    "tokens",
    "requests",
    "bars",
    "notices",
    "history",
    "files_left_out",
)


def summary(record: PersonalRecord, schemes: Schemes, *, on: date, language: str) -> Report:
    """The summary as of a day."""
    say = catalogues.topic(language, "archives")
    said, holder = _Said(record, schemes, language, say), record["holder"]
    name = f"{holder['given_name']} {holder['family_name']}".strip()
    return Report(
        language=language,
        title=say["title"].format(name=name),
        lines=[say["as_of"].format(day=voice.in_words(on, language)), *say["about"]],
        tables=[table for table in said.tables() if table.rows],
    )


def transcript(record: PersonalRecord, schemes: Schemes, *, on: date, language: str) -> Report:
    """What the person has earned, as of a day: nothing of messages, employers or addresses."""
    words = catalogues.topic(language, "archives")
    holder, say = record["holder"], words["transcript"]
    said = _Said(record, schemes, language, say)
    name = f"{holder['given_name']} {holder['family_name']}".strip()
    as_of = words["as_of"].format(day=voice.in_words(on, language))
    return Report(
        language=language,
        title=say["title"].format(name=name),
        lines=[as_of, *say["about"]],
        tables=[table for table in said.earned() if table.rows],
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """A record as it is said in a language. Rows are as on record, the oldest first.

    ``titles`` has the titles of the tables, and what is said below one that is too long.
    """

    record: PersonalRecord
    schemes: Schemes
    language: str
    titles: Mapping[str, Any]

    @property
    def say(self) -> Mapping[str, Any]:
        """The words of the summary."""
        return catalogues.topic(self.language, "archives")

    @property
    def _verify(self) -> Mapping[str, Any]:
        """The words of the page that everybody sees: a status has one name."""
        return catalogues.topic(self.language, "verify")

    def tables(self) -> Iterator[ReportTable]:
        """Every table, also those without rows."""
        holder = self.record["holder"]
        addresses = [[held] for held in (holder["email"], holder["second_email"]) if held]
        yield ReportTable(title=self.say["addresses"], rows=addresses)
        yield from self.earned()
        yield self._table("sharing", map(self._sharing, self.record["sharing"]), (3, 6, 3, 3))
        yield self._table("looks", map(self._look, self.record["looks"]), (3, 4, 4, 4), MOST_EVENTS)
        yield self._table(
            "messages", map(self._message, self.record["messages"]), (3, 4, 5, 3), MOST_EVENTS
        )
        counts = {name: len(self.record[name]) for name in _COUNTED}
        rows = [[f"{self.say['counted'][name]}: {n}"] for name, n in counts.items() if n]
        yield ReportTable(title=self.say["more"], rows=rows)

    def earned(self) -> Iterator[ReportTable]:
        """What was earned: certifications with their cycles and renewals, passes, activities."""
        certifications = self.record["certifications"]
        yield self._table("certifications", map(self._certification, certifications), (5, 3, 3, 3))
        cycles = (row for one in certifications for row in self._cycles(one))
        yield self._table("cycles", cycles, (3, 3, 3, 5))
        renewals = (row for one in certifications for row in self._renewals(one))
        yield self._table("renewals", renewals, (3, 3, 3, 3))
        yield self._table(
            "assessments", map(self._assessment, self.record["assessments"]), (3, 2, 6, 3)
        )
        yield self._table(
            "activities", map(self._activity, self.record["activities"]), (4, 2, 6, 3)
        )

    def _table(
        self, name: str, rows: Iterable[Sequence[str]], widths: Sequence[int], most: int = MOST_ROWS
    ) -> ReportTable:
        """A table of the newest rows, with a note if there are more."""
        newest = list(rows)[::-1]
        note = self.titles["left_out"].format(shown=most, all=len(newest))
        return ReportTable(
            title=self.titles["titles"][name],
            columns=self.say["columns"][name],
            widths=widths,
            rows=newest[:most],
            note=note if len(newest) > most else "",
        )

    def _certification(self, one: PersonalRecord) -> Sequence[str]:
        status = self._standing(one)["status"]
        if status is not None:
            status = self._verify["statuses"][status]
        else:
            status = self.say["over"]["withdrawn" if one["withdrawn_at"] else "replaced"]
        name = self.schemes[one["scheme"]].full_name(self.language)
        return (name, one["number"], self._day(one["awarded_on"]), status)

    def _cycles(self, one: PersonalRecord) -> Iterator[Sequence[str]]:
        """A row for each cycle; points are those of today."""
        standing = self._standing(one)
        for cycle in standing["cycles"]:
            points = standing["points"] if cycle["ordinal"] == standing["cycle"] else None
            last = self._day(cycle["expires_on"]) or self._verify["never"]
            said = self._points(points) if points else ""
            yield (one["number"], self._day(cycle["starts_on"]), last, said)

    def _renewals(self, one: PersonalRecord) -> Iterator[Sequence[str]]:
        for each in one["renewals"]:
            outcome = "withdrawn" if each["withdrawn_on"] else each["decision"] or "pending"
            decided = self._day(each["withdrawn_on"] or each["decided_on"])
            said = self.say["outcomes"][outcome]
            yield (one["number"], self._day(each["submitted_on"]), said, decided)

    def _standing(self, one: PersonalRecord) -> PersonalRecord:
        """How a certification stands today."""
        standings: Sequence[PersonalRecord] = self.record["standings"]
        return next(each for each in standings if each["certification_id"] == one["id"])

    def _points(self, points: Mapping[str, str]) -> str:
        figures = {name: voice.figure(Decimal(number)) for name, number in points.items()}
        waits = points["total"] != points["with_pending"]
        return str(self.say["points"]["pending" if waits else "total"].format_map(figures))

    def _assessment(self, one: PersonalRecord) -> Sequence[str]:
        result = "voided" if one["voided_at"] else "passed" if one["passed"] else "failed"
        scheme, module = self.schemes[one["scheme"]], one["module"]
        names = {each.code: each.name for each in scheme.modules}
        return (
            self._day(one["taken_on"]),
            scheme.abbreviation or scheme.number_prefix,
            translated(names[module], self.language) if module in names else module,
            self.say["results"][result],
        )

    def _activity(self, one: PersonalRecord) -> Sequence[str]:
        scheme = self.schemes[one["scheme"]]
        on, since = one["completed_on"], one["starts_on"]
        day = self._day(on or since)
        return (
            day if on or not since else self.say["since"].format(day=day),
            scheme.abbreviation or scheme.number_prefix,
            one["title"],
            self.say["activity_states"][one["state"]],
        )

    def _sharing(self, one: PersonalRecord) -> Sequence[str]:
        fields = [
            "standing",
            *(key for key in ("dates", "points", "modules", "credentials") if one[f"with_{key}"]),
        ]
        told = consents.words(fields, one["purpose"], self.language)
        end = self.say["open"]
        if one["ended_at"]:
            end = self.say["ended"].format(day=self._day(one["ended_at"]))
        elif one["until_on"]:
            end = self._day(one["until_on"])
        seen = self.say["sees"].format_map(told)
        return (one["employer"], seen, self._day(one["consented_on"]), end)

    def _look(self, one: PersonalRecord) -> Sequence[str]:
        kind = self.say["look_kinds"][one["kind"]]
        return (self._day(one["at"]), one["employer"], one["name"], kind)

    def _message(self, one: PersonalRecord) -> Sequence[str]:
        kind, state = (
            self.say["message_kinds"][one["kind"]],
            self.say["message_states"][one["state"]],
        )
        return (self._day(one["created_at"]), kind, one["address"], state)

    def _day(self, text: str | None) -> str:
        """A day on record, or the person's own day of an instant, in words."""
        if text is None:
            return ""
        if "T" not in text:
            return voice.in_words(date.fromisoformat(text), self.language)
        zone = ZoneInfo(self.record["holder"]["time_zone"])
        return voice.in_words(datetime.fromisoformat(text).astimezone(zone).date(), self.language)
