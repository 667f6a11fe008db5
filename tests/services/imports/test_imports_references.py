"""services/imports/references.py and lookups.py: keys that programs have changed on the way."""

import pytest
from sqlalchemy import update

from tests.backends import SQLITE
from tests.services.imports.importing import HOLDERS, bring, certify, refused
from tests.services.imports.test_imports_refused import ACTIVITY, ATTEMPT, CHANGE, RENEWAL, ROSTER
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.models import Assessment, Holder, RosterEntry
from tracker.services.imports import ImportRefused

FRACTION = "is a whole number that a program wrote as a fraction; write it "
PEOPLE = "holder_ref,given_name,family_name,email\n"

# Each kind of file with a key that is a fraction, and the column where it stands.
FRACTIONS = [
    ("holders", PEOPLE + "17.0,Cy,Ek,cy@example.org\n", "holder_ref"),
    ("assessments", ATTEMPT + "17.0,A,cpt,green,2024-01-01,pass,,,\n", "attempt_ref"),
    ("assessments", ATTEMPT + "x,17.0,cpt,green,2024-01-01,pass,,,\n", "holder_ref"),
    (
        "activities",
        ACTIVITY + "17.0,A,cpt,CE,third_party,T,5,,2024-01-01,draft,,\n",
        "activity_ref",
    ),
    ("activities", ACTIVITY + "x,17.0,cpt,CE,third_party,T,5,,2024-01-01,draft,,\n", "holder_ref"),
    ("renewals", RENEWAL + "17.0,A,cpt,2026-10-20,,\n", "renewal_ref"),
    ("renewals", RENEWAL + "x,17.0,cpt,2026-10-20,,\n", "holder_ref"),
    ("standing-changes", CHANGE + "17.0,A,cpt,suspend,2026-01-01,fraud\n", "change_ref"),
    ("standing-changes", CHANGE + "x,17.0,cpt,suspend,2026-01-01,fraud\n", "holder_ref"),
    (
        "certifications",
        "holder_ref,scheme,certificate_number,awarded_on\n17.0,cpt,OLD-1,2024-01-01\n",
        "holder_ref",
    ),
    ("roster", ROSTER + "Acme,17.0,A,,,\n", "employee_id"),
    ("roster", ROSTER + "Acme,1,17.0,,,\n", "holder_ref"),
    ("roster", ROSTER + "Acme,1,,,17.0,\n", "certificate_number"),
]


@pytest.fixture
def registered(container):
    """A and B are on record, and A is certified since 2022."""
    bring(container, "holders", HOLDERS)
    certify(container, "A", "2022-01-15")
    return container


def test_a_key_that_a_program_made_a_fraction_is_refused_in_every_kind_of_file(registered):
    for kind, file, column in FRACTIONS:
        found = refused(registered, kind, file)
        assert found == [(2, column, f"{FRACTION}without .0 and with its leading zeros")], file


def test_the_form_of_the_fraction_is_named(container):
    file = "holder_ref;given_name;family_name;email\n0017,0;Cy;Ek;cy@example.org\n"
    ((_, _, rule),) = refused(container, "holders", file)

    assert rule == f"{FRACTION}without ,0 and with its leading zeros"


def test_a_key_of_that_form_that_is_on_record_is_meant(registered):
    bring(registered, "roster", ROSTER + "Acme,17,A,,,\n")
    with registered.work(SYSTEM) as work:
        for column in (Holder.ref, Assessment.ref, RosterEntry.employee_id):
            old = {Holder.ref: "B", Assessment.ref: "A-safety", RosterEntry.employee_id: "17"}
            change = update(column.class_).where(column == old[column])
            work.connection.execute(change.values({column.key: "17.0"}))
    attempt = "17.0,A,cpt,safety,2022-01-12,pass,,,\n"

    assert bring(registered, "holders", PEOPLE + "17.0,Bo,Łuk,bo@example.org\n").unchanged == 1
    assert bring(registered, "assessments", ATTEMPT + attempt).rows == 1
    assert bring(registered, "roster", ROSTER + "Acme,17.0,A,,,\n").unchanged == 1
    assert bring(registered, "roster", ROSTER + "Acme,18,17.0,,,\n").created == 1
    ((_, named, _),) = refused(registered, "roster", ROSTER + "Brit,17.0,A,,,\n")
    assert named == "employee_id"


ZEROS = "Spreadsheets remove leading zeros: write it as it is on record, in a"
# Files of every kind that names holders; R stands for the ref.
NAMING = [
    ("assessments", ATTEMPT + "x,R,cpt,green,2024-01-01,pass,,,\n"),
    ("activities", ACTIVITY + "x,R,cpt,CE,third_party,T,5,,2024-01-01,draft,,\n"),
    ("renewals", RENEWAL + "x,R,cpt,2026-10-20,,\n"),
    ("standing-changes", CHANGE + "x,R,cpt,suspend,2026-01-01,fraud\n"),
    ("certifications", "holder_ref,scheme,certificate_number,awarded_on\nR,cpt,O-1,2024-01-01\n"),
    ("roster", ROSTER + "Acme,1,R,,,\n"),
]


@SQLITE
@pytest.mark.parametrize(("given", "kept"), [("1", "00001"), ("1", "01"), ("00042", "42")])
def test_an_unknown_ref_that_has_lost_its_zeros_asks_for_the_one_on_record(container, given, kept):
    bring(container, "holders", f"{PEOPLE}{kept},Cy,Ek,cy@example.org\n")

    for kind, file in NAMING:
        ((row, column, rule),) = refused(container, kind, file.replace("R,", f"{given},"))
        assert (row, column) == (2, "holder_ref"), kind
        assert rule == (
            f"is not a holder on record; did you mean {kept}? {ZEROS} column with the format Text"
        )


def test_several_refs_that_may_be_meant_are_named_and_others_are_not(container):
    names = [f"{'0' * zeros}7,Cy,Ek,cy{zeros}@example.org\n" for zeros in (1, 2, 3, 4)]
    bring(container, "holders", PEOPLE + "".join(names) + "E7,Cy,Ek,cy@example.org\n")
    file = ATTEMPT + "".join(
        f"x{ref},{ref},cpt,green,2024-01-01,pass,,,\n" for ref in ("7", "8", "E07")
    )

    rules = [rule for _, _, rule in refused(container, "assessments", file)]
    assert rules[0].startswith("is not a holder on record; did you mean 07 or 007 or 0007? ")
    assert rules[1:] == ["is not a holder on record; import holders first"] * 2


def test_a_file_of_unknown_refs_is_looked_up_no_longer_than_errors_are_told(container):
    bring(container, "holders", f"{PEOPLE}00001,Cy,Ek,cy@example.org\n")
    lines = "".join(f"x{n},{n},cpt,green,2024-01-01,pass,,,\n" for n in range(3001, 1, -1))
    with pytest.raises(ImportRefused) as raised, counted(container) as asked:
        bring(container, "assessments", f"{ATTEMPT}{lines}y,1,cpt,green,2024-01-01,pass,,,\n")

    assert (raised.value.total, len(raised.value.errors)) == (3001, 1000)
    assert sum("holder.ref" in statement for statement in asked) == 5
