"""The refusals: one exception per refused fact, each with a stable code.

Each says whether an exception to the rule can be had, and how (``WayOut``). Nothing here
knows about HTTP; ``api/http/errors.py`` maps the kinds to status numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self


@dataclass(frozen=True, slots=True)
class WayOut:
    """Whether an exception to a refusal can be had, and how.

    ``none``: there is none; what the refusal names must change. ``override``: staff send the
    request again with their reason in ``field``. ``ask``: the issuer can be asked for one of
    ``ask_for``. ``sentence`` says so to people; it is empty where there is no way out.
    """

    kind: Literal["none", "override", "ask"]
    field: str | None = None
    ask_for: tuple[str, ...] = ()
    sentence: str = ""


NONE = WayOut("none")
OVERRIDE = WayOut(
    "override",
    field="override_reason",
    sentence="Staff can make an exception: send override_reason with the reason for it.",
)


def _ask(*what: str) -> WayOut:
    wanted = " or ".join(what)
    return WayOut("ask", ask_for=what, sentence=f"The issuer can be asked for {wanted}.")


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a malfunction
    """A rule said no. ``code`` is stable for programs, the text is for people.

    ``exception`` says whether the rule has exceptions; that of one refusal may be taken away
    with ``final``.
    """

    code: ClassVar[str] = "refused"
    way_out: ClassVar[WayOut] = NONE

    def __init__(self, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.exception = self.way_out
        self.facts = facts

    def final(self) -> Self:
        """The same refusal where nobody makes an exception, although others of its kind have."""
        self.exception = NONE
        return self

    @property
    def told(self) -> str:
        """The detail with the sentence about exceptions, where there are any."""
        return f"{self.detail} {self.exception.sentence}".rstrip()


class NotFound(Refusal):
    """There is no such record, or it is not the actor's to see: the answers are the same."""

    code = "not_found"

    def __init__(self, detail: str = "There is no such record.") -> None:
        super().__init__(detail)


class NotAllowed(Refusal):
    """The actor is known but may not do this."""

    code = "not_allowed"


class Conflict(Refusal):
    """The request is well formed, but the recorded facts forbid it."""

    code = "conflict"


class Invalid(Refusal):
    """A value is not acceptable; ``fields`` says which and why."""

    code = "invalid"

    def __init__(self, detail: str, *, fields: dict[str, str] | None = None, **facts: Any) -> None:
        super().__init__(detail, **facts)
        self.fields = fields or {}


class Stale(Refusal):
    """The record changed since the actor read it."""

    code = "stale"


class TooBusy(Refusal):
    """All turns for work of this kind are taken; nothing was done, and it may be asked again."""

    code = "too_busy"


class TooManyAtOnce(Refusal):
    """The actor has as many of these under way as one may have."""

    code = "too_many_at_once"


# Values.
class OutsideCycle(Invalid):
    """The activity's date does not lie in a validity cycle of the certification."""

    code = "outside_cycle"


class UnknownScheme(Invalid):
    """No certification scheme of that code is configured."""

    code = "unknown_scheme"


class UnknownModule(Invalid):
    """The scheme has no module of that code."""

    code = "unknown_module"


class UnknownActivityType(Invalid):
    """The policy has no activity type of that code in that category."""

    code = "unknown_activity_type"


class UnknownVersion(Invalid):
    """The scheme has no policy of that version."""

    code = "unknown_version"


class UnacceptableEvidence(Invalid):
    """The file is not a PDF, JPG or PNG that we can keep safely."""

    code = "unacceptable_evidence"


class EvidenceTooLarge(Refusal):
    """The file is larger than the limit."""

    code = "evidence_too_large"


# Recorded facts.
class RetakeTooSoon(Conflict):
    """The wait after a failed assessment is not over."""

    code = "retake_too_soon"
    way_out = OVERRIDE


class AlreadyPassed(Conflict):
    """The module was passed before; a module certificate never expires."""

    code = "already_passed"


class AlreadyRecorded(Conflict):
    """The same fact is on record already."""

    code = "already_recorded"


class SupportsRenewal(Conflict):
    """The award rests on this pass and has been renewed since, so it cannot be voided."""

    code = "supports_renewal"


class IllegalTransition(Conflict):
    """The record is not in a state from which this step is lawful."""

    code = "illegal_transition"


class LimitReached(Conflict):
    """There are as many of these on record as one may have."""

    code = "limit_reached"


class EvidenceMissing(Conflict):
    """The activity's type needs evidence to be submitted, and no file is on record."""

    code = "evidence_missing"


class TooOften(Refusal):
    """Something was done as often as it may be for a while; ``retry_after`` seconds are left."""

    code = "too_many_requests"


class TokenEnded(Refusal):
    """The token with which somebody acts has ended since they began."""

    code = "token_ended"


class SelfReview(NotAllowed):
    """Nobody decides on a record of their own."""

    code = "self_review"


class BuiltUpon(Conflict):
    """A later act rests on the decision, and must be taken back before it."""

    code = "built_upon"


class WindowNotOpen(Conflict):
    """The renewal window has not opened yet."""

    code = "window_not_open"


class WindowClosed(Conflict):
    """The renewal window has closed, and the certification has not expired yet."""

    code = "window_closed"
    way_out = _ask("an extension")


class CertificationExpired(Conflict):
    """The certification expired, grace included; it can no longer be renewed."""

    code = "certification_expired"
    way_out = _ask("an extension")


class PointsMissing(Conflict):
    """The points counted do not reach the requirement."""

    code = "points_missing"
    way_out = _ask("an extension", "a lower requirement")


class PointsPending(Conflict):
    """The points depend on activities that wait for a decision."""

    code = "points_pending"
    way_out = _ask("the decision on what waits")


class ReexaminationMissing(Conflict):
    """So late a renewal needs the re-examination; points are not enough."""

    code = "reexamination_missing"
    way_out = _ask("an extension")


class CheckMissing(Conflict):
    """A check that the policy asks for was not confirmed."""

    code = "check_missing"


class RenewalPending(Conflict):
    """An application for this cycle is already under review."""

    code = "renewal_pending"


class NotRenewable(Conflict):
    """The certification is suspended, revoked or surrendered, or its scheme never expires."""

    code = "not_renewable"
    way_out = _ask("a reinstatement")


class NotExtendable(Conflict):
    """The cycle has no end that could move, or its policy extends none for this reason."""

    code = "not_extendable"
    way_out = OVERRIDE


class ExtensionTooLate(Conflict):
    """The extension was asked for later than the policy allows."""

    code = "extension_too_late"
    way_out = OVERRIDE


class ExtensionTooLong(Conflict):
    """The extension reaches further than the policy allows."""

    code = "extension_too_long"
    way_out = OVERRIDE


class TooLittleEarned(Conflict):
    """Less of the requirement is earned than the policy asks for before it extends a cycle."""

    code = "too_little_earned"
    way_out = OVERRIDE


class ReductionRefused(Conflict):
    """The policy does not reduce the requirement so far, or not for this reason."""

    code = "reduction_refused"
    way_out = OVERRIDE


class AppealTooLate(Conflict):
    """The appeal was due within the period after the notice."""

    code = "appeal_too_late"


class PublishedOtherwise(Conflict):
    """The policy version was published, and said something else then."""

    code = "published_otherwise"


class NotACorrection(Conflict):
    """Only a version that names another as corrected repairs the cycles governed by that one."""

    code = "not_a_correction"
