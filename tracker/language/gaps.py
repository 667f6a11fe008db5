"""What would close a gap, in sentences: each way, and what stands in the way of all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from tracker.domain.periods import DAY
from tracker.domain.points.gap import Gap, GapObstacle
from tracker.domain.points.options import SuggestedActivity
from tracker.domain.schemes.policies import Policy
from tracker.language import catalogues
from tracker.language.voice import ACTIVITIES, MONTHS, Voice, counted

_WAYS = catalogues.sentences("gaps", "ways")
_OBSTACLES = catalogues.sentences("gaps", "obstacles")
_NOTHING = catalogues.phrase("gaps", "nothing")


def explain_way(way: Sequence[SuggestedActivity], gap: Gap, policy: Policy, language: str) -> str:
    """One way to close a gap, in a sentence with one deadline, or one for each activity."""
    voice, words = Voice(policy, language), _WAYS[language]
    until = voice.day(gap.days.ends_on)
    if not way:
        return words["nothing"].format(until=until)
    timed = not all(_any_time(activity, gap) for activity in way)
    activities = voice.listed([_activity(one, voice, timed=timed) for one in way])
    return words["timed" if timed else "way"].format(activities=activities, until=until)


def explain_jobs(gap: Gap, policy: Policy, language: str) -> list[str]:
    """What the ways take for granted, in a sentence."""
    if not gap.goes_on or not any(gap.ways):
        return []
    until = Voice(policy, language).day(gap.days.ends_on)
    return [_WAYS[language]["jobs"].format(until=until)]


def _any_time(activity: SuggestedActivity, gap: Gap) -> bool:
    """Whether an activity may be done on any of the days left; a job begins at once."""
    periods = [portion.period for portion in activity.portions]
    if activity.kind.is_job:
        return all(days.starts_on <= gap.days.starts_on + DAY for days in periods)
    return periods == [gap.days]


def _activity(activity: SuggestedActivity, voice: Voice, *, timed: bool) -> str:
    """So much more of one kind of activity: "15 more contact hours (Third-party training)"."""
    words, language = _WAYS[voice.language], voice.language
    told = words["name"].format(
        quantities=_quantities(activity, voice, timed=timed),
        name=voice.text(activity.kind.name),
    )
    if activity.marks:
        marks = [voice.name("tag", mark) for mark in sorted(activity.marks)]
        told += words["tag"].format(tag=voice.listed(marks))
    single = sum(len(portion.each) for portion in activity.portions)
    if single > 1 and activity.kind.basis == "quantity":
        times = counted(Decimal(single), ACTIVITIES, language)
        told += words["times"].format(times=times)
    return told


def _quantities(activity: SuggestedActivity, voice: Voice, *, timed: bool) -> str:
    """How much of it, and in which time where not any time will do."""
    words = _WAYS[voice.language]
    if not timed:
        return _more(activity, activity.units, voice)
    return voice.listed(
        [
            words["time"].format(
                quantity=_more(activity, sum(portion.each, Decimal(0)), voice),
                starts=voice.day(portion.period.starts_on),
                ends=voice.day(portion.period.ends_on),
            )
            for portion in activity.portions
        ]
    )


def _more(activity: SuggestedActivity, units: Decimal, voice: Voice) -> str:
    """So many more of an activity's units; of events their number."""
    quantity = voice.units(activity.kind, units)
    if activity.kind.basis == "event":
        quantity = counted(units, ACTIVITIES, voice.language)
    words = _WAYS[voice.language]
    ends_alike = _last_word(quantity.noun) == _last_word(words["more"])  # "... o más más"
    return words["further" if ends_alike else "more"].format(quantity=quantity)


def _last_word(text: str) -> str:
    return text.rpartition(" ")[2]


def explain_obstacles(gap: Gap, policy: Policy, language: str) -> list[str]:
    """Why nothing closes a gap, in sentences; none where something does."""
    if not gap.obstacles:
        return []
    voice = Voice(policy, language)
    first = _NOTHING[language].format(until=voice.day(gap.days.ends_on))
    return [first, *(_obstacle(one, gap, voice) for one in gap.obstacles)]


def _obstacle(obstacle: GapObstacle, gap: Gap, voice: Voice) -> str:
    language, kind, key = voice.language, obstacle.kind, str(obstacle.kind)
    found: dict[str, object] = {"until": voice.day(gap.days.ends_on), "credit": voice.credit}
    if kind in {"unserved", "once", "cycle_cap", "year_cap"}:
        found["group"] = voice.group(obstacle.group, obstacle.subject)
        found["one"] = voice.one_of(obstacle.group, obstacle.subject)
        found["room"] = voice.points(obstacle.points)
    if kind in {"cycle_cap", "year_cap"} and not obstacle.points:
        key = f"full_{kind}"
    if kind == "lost":
        found["day"] = voice.day(date.fromisoformat(obstacle.subject))
    if kind == "time":
        found["months"] = counted(Decimal(obstacle.months), MONTHS, language)
        key = "time" if obstacle.months else "no_time"
    return _OBSTACLES[language][key].format(**found)
