"""domain/credentials/pathways.py: which steps are done, since when, and which one is next."""

from __future__ import annotations

from datetime import date

import pytest

from tracker.domain.credentials.pathways import Achievements, progress
from tracker.domain.schemes.activity_types import Provenance
from tracker.domain.schemes.pathways import Pathway, PathwayStep, StepCompletion

JAN, FEB = date(2026, 1, 1), date(2026, 2, 1)
SOURCE = Provenance("A test.", verified=False)


def pathway(*ways):
    steps = (
        PathwayStep(code=str(place), name={"en": "x"}, completed_by=by, provenance=SOURCE)
        for place, by in enumerate(ways)
    )
    return Pathway("p", {"en": "p"}, tuple(steps))


MODULES = StepCompletion(scheme="cpt", modules=("safety", "quality"))
SMSCP = StepCompletion(credential="smscp")
SMSCP_2 = StepCompletion(credential="smscp", level="2")


@pytest.mark.parametrize(
    ("by", "achieved", "done_on"),
    [
        (MODULES, Achievements(passes={("cpt", "safety"): JAN}), None),
        (MODULES, Achievements(passes={("cpt", "safety"): JAN, ("cpt", "quality"): FEB}), FEB),
        (MODULES, Achievements(passes={("clt", "safety"): JAN, ("clt", "quality"): FEB}), None),
        (StepCompletion(certification="cpt"), Achievements(awards={"cpt": FEB}), FEB),
        (StepCompletion(certification="cpt"), Achievements(awards={"clt": FEB}), None),
        (SMSCP, Achievements(credentials={("smscp", "2"): FEB, ("smscp", "1"): JAN}), JAN),
        (SMSCP_2, Achievements(credentials={("smscp", "1"): JAN}), None),
        (SMSCP_2, Achievements(credentials={("smscp", "2"): JAN, ("nims", "2"): FEB}), JAN),
        (StepCompletion(funding="wioa"), Achievements(fundings={"wioa": JAN}), JAN),
        (StepCompletion(funding="wioa"), Achievements(fundings={"self": JAN}), None),
        (
            StepCompletion(apprenticeship="completed"),
            Achievements(apprenticeships={"registered": JAN}),
            None,
        ),
        (
            StepCompletion(apprenticeship="registered"),
            Achievements(apprenticeships={"registered": JAN}),
            JAN,
        ),
    ],
)
def test_a_step_is_done_on_the_day_on_which_all_of_it_was_there(by, achieved, done_on):
    [step] = progress(pathway(by), achieved).steps

    assert step.done_on == done_on


def test_the_next_step_is_the_first_that_is_not_done_whatever_the_order():
    way = pathway(StepCompletion(funding="wioa"), SMSCP, MODULES)
    some = Achievements(credentials={("smscp", "1"): JAN})
    funded = Achievements(credentials={("smscp", "1"): JAN}, fundings={"wioa": FEB})
    modules = {("cpt", "safety"): JAN, ("cpt", "quality"): FEB}
    whole = Achievements(passes=modules, credentials={("smscp", "1"): JAN}, fundings={"wioa": FEB})

    assert progress(way, some).next == way.steps[0]
    assert progress(way, funded).next == way.steps[2]
    assert progress(way, whole).next is None
