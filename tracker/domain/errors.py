"""Refusals: one exception for each refused fact, each with a stable code.

Each says whether an exception to the rule is possible, and how (``WayOut``). Nothing here knows
about HTTP; ``api/http/errors.py`` maps the kinds to status numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self


@dataclass(frozen=True, slots=True)
class WayOut:
    """Whether an exception to a refusal is possible, and how.

    ``none``: it is not; the refused fact itself must change. ``override``: staff send the request
    again with their reason in ``field``. ``ask``: the holder can ask the issuer for one of
    ``ask_for``. ``sentence`` says so to people; it is empty if there is no way out.
    """

    kind: Literal["none", "override", "ask"]
    field: str | None = None
    ask_for: tuple[str, ...] = ()
    sentence: str = ""


NONE = WayOut("none")
OVERRIDE = WayOut(
    "override",
    field="override_reason",
    sentence="Staff can make an exception: send the reason in override_reason.",
)


def _ask(*what: str) -> WayOut:
    wanted = " or ".join(what)
    return WayOut("ask", ask_for=what, sentence=f"You can ask the issuer for {wanted}.")


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a malfunction
    """A rule said no. ``code`` is stable for programs, the text is for people.

    ``exception`` says whether the rule has exceptions; ``final`` removes it from one refusal.
    """

    code: ClassVar[str] = "refused"
    way_out: ClassVar[WayOut] = NONE

    def __init__(self, detail: str, **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.exception = self.way_out
        self.facts = facts

    def final(self) -> Self:
        """The same refusal without an exception, although others of its kind have one."""
        self.exception = NONE
        return self

    @property
    def told(self) -> str:
        """The detail, followed by the sentence about exceptions, if there are any."""
        return f"{self.detail} {self.exception.sentence}".rstrip()


class NotFound(Refusal):
    """There is no such record, or the actor may not see it: the answers are the same."""

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

    def __init__(
        self, detail: str, *, fields: dict[str, str] | None = None, **facts: object
    ) -> None:
        super().__init__(detail, **facts)
        self.fields = fields or {}


class NoLongerAvailable(Refusal):
    """There was such a record, and the person's data were erased."""

    code = "no_longer_available"


class Stale(Refusal):
    """The record changed since the actor read it."""

    code = "stale"


class TooBusy(Refusal):
    """All slots for work of this kind are taken; nothing was done, and the caller may try again."""

    code = "too_busy"


class TooManyAtOnce(Refusal):
    """The actor already has as many of these in progress as allowed."""

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


class UnacceptablePassword(Invalid):
    """The password is too short, too long, common, or about its owner; ``fault`` says which."""

    code = "unacceptable_password"


class WrongProof(Invalid):
    """The password or the code is wrong."""

    code = "wrong_proof"


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
    """The same fact is already on record."""

    code = "already_recorded"


class SupportsRenewal(Conflict):
    """The award depends on this pass and has been renewed since, so the pass cannot be voided."""

    code = "supports_renewal"


class IllegalTransition(Conflict):
    """The record is not in a state that allows this step."""

    code = "illegal_transition"


class LimitReached(Conflict):
    """There are already as many of these on record as allowed."""

    code = "limit_reached"


class LastAdministrator(Conflict):
    """Without this account there would be no administrator."""

    code = "last_administrator"


class LastManager(Conflict):
    """Without this account nobody would manage for the organization."""

    code = "last_manager"
    way_out = OVERRIDE


class LastFactor(Conflict):
    """Without this passkey the account would have no second factor."""

    code = "last_factor"


class AddressShared(Conflict):
    """Several people use this email address, so a password with it cannot tell who it is."""

    code = "address_shared"


class EvidenceMissing(Conflict):
    """The activity's type requires evidence to be submitted, and no file is on record."""

    code = "evidence_missing"


class TooOften(Refusal):
    """The limit for a period was reached; ``retry_after`` is the number of seconds left."""

    code = "too_many_requests"


class TokenEnded(Refusal):
    """The token used by the actor has ended since they began."""

    code = "token_ended"


class SessionEnded(Refusal):
    """The session ended while the request was being read."""

    code = "session_ended"


class SecondFactorMissing(NotAllowed):
    """The password was right, but the second factor was not entered yet."""

    code = "second_factor_missing"


class ReauthenticationRequired(NotAllowed):
    """The act is sensitive, and the person has not proved who they are for a while."""

    code = "reauthentication_required"


class SelfReview(NotAllowed):
    """Nobody may decide on a record of their own."""

    code = "self_review"


class SamePerson(NotAllowed):
    """Two people are needed, and this is the first one again."""

    code = "same_person"


class BuiltUpon(Conflict):
    """A later act depends on the decision, and must be taken back first."""

    code = "built_upon"


class UnderReview(Conflict):
    """Another reviewer has opened the review; ``reviewer`` says who, ``until`` for how long."""

    code = "under_review"


class NotAlike(Conflict):
    """Activities that should be decided at once are not claims of one course on one day."""

    code = "not_alike"


class WindowNotOpen(Conflict):
    """The renewal window has not opened yet."""

    code = "window_not_open"


class WindowClosed(Conflict):
    """The renewal window has closed, and the certification has not expired yet."""

    code = "window_closed"
    way_out = _ask("an extension")


class CertificationExpired(Conflict):
    """The certification expired, and so did any grace; it can no longer be renewed."""

    code = "certification_expired"
    way_out = _ask("an extension")


class PointsMissing(Conflict):
    """The points counted do not reach the requirement."""

    code = "points_missing"
    way_out = _ask("an extension", "a lower requirement")


class PointsPending(Conflict):
    """The points depend on activities that are waiting for a decision."""

    code = "points_pending"
    way_out = _ask("a decision on the waiting activities")


class ReexaminationMissing(Conflict):
    """A renewal this late needs the re-examination; points are not enough."""

    code = "reexamination_missing"
    way_out = _ask("an extension")


class CheckMissing(Conflict):
    """A check that the policy requires was not confirmed."""

    code = "check_missing"


class FeeOpen(Conflict):
    """The fee of an application is neither paid nor waived."""

    code = "fee_open"


class RenewalPending(Conflict):
    """An application for this cycle is already under review."""

    code = "renewal_pending"


class NotRenewable(Conflict):
    """The certification is suspended, revoked or surrendered, or its scheme never expires."""

    code = "not_renewable"
    way_out = _ask("a reinstatement")


class NotExtendable(Conflict):
    """The cycle has no end that could move, or its policy allows no extension for this reason."""

    code = "not_extendable"
    way_out = OVERRIDE


class ExtensionTooLate(Conflict):
    """The extension was requested later than the policy allows."""

    code = "extension_too_late"
    way_out = OVERRIDE


class ExtensionTooLong(Conflict):
    """The extension is longer than the policy allows."""

    code = "extension_too_long"
    way_out = OVERRIDE


class TooLittleEarned(Conflict):
    """Less of the requirement is earned than the policy demands before it extends a cycle."""

    code = "too_little_earned"
    way_out = OVERRIDE


class ReductionRefused(Conflict):
    """The policy does not reduce the requirement by this much, or not for this reason."""

    code = "reduction_refused"
    way_out = OVERRIDE


class AppealTooLate(Conflict):
    """The appeal was not made within the period after the notice."""

    code = "appeal_too_late"


class PublishedOtherwise(Conflict):
    """The policy version was published with different content."""

    code = "published_otherwise"


class NotACorrection(Conflict):
    """Only a version that names the one it corrects can repair the cycles governed by that one."""

    code = "not_a_correction"


class AlreadyMerged(Conflict):
    """The record was merged into another one of the same person, which is to be used instead."""

    code = "already_merged"


class CannotBeUndone(Conflict):
    """What was done since depends on it."""

    code = "cannot_be_undone"


class NotInForce(Conflict):
    """The certificate is not valid today, so that no paper is made that says it is."""

    code = "not_in_force"


class LettersMissing(Conflict):
    """The fonts of our papers lack letters of a text; a paper without them would be wrong."""

    code = "letters_missing"


class WaitsInBoth(Conflict):
    """Both records have something that waits for a decision, of which a person has only one."""

    code = "waits_in_both"
