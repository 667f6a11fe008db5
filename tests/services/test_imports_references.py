"""services/imports/references.py and lookups.py: keys that programs have changed on the way."""

import pytest
from sqlalchemy import update

from tests.services.importing import HOLDERS, bring, certify, refused
from tests.services.test_imports_refused import ACTIVITY, ATTEMPT, CHANGE, RENEWAL, ROSTER
from tracker.domain.permissions import SYSTEM
from tracker.models import Assessment, Holder, RosterEntry

FRACTION = "is a whole number that a program has written as a fraction; give it as it is printed, "
PEOPLE = "holder_ref,given_name,family_name,email\n"

# Each kind of file with a key that is a fraction, and the column where it stands.
FRACTIONS = [
    ("holders", PEOPLE + "17.0,Cy,Ek,cy@example.org\n", "holder_ref"),
    ("assessments", ATTEMPT + "17.0,A,cpt,green,2024-01-01,pass,,,\n", "attempt_ref"),
    ("assessments", ATTEMPT + "x,17.0,cpt,green,2024-01-01,pass,,,\n", "holder_ref"),
    ("activities", ACTIVITY + "17.0,A,cpt,CE,third_party,T,5,,2024-01-01,draft,,\n",
     "activity_ref"),
    ("activities", ACTIVITY + "x,17.0,cpt,CE,third_party,T,5,,2024-01-01,draft,,\n",
     "holder_ref"),
    ("renewals", RENEWAL + "17.0,A,cpt,2026-10-20,,\n", "renewal_ref"),
    ("renewals", RENEWAL + "x,17.0,cpt,2026-10-20,,\n", "holder_ref"),
    ("standing-changes", CHANGE + "17.0,A,cpt,suspend,2026-01-01,fraud\n", "change_ref"),
    ("standing-changes", CHANGE + "x,17.0,cpt,suspend,2026-01-01,fraud\n", "holder_ref"),
    ("certifications",
     "holder_ref,scheme,certificate_number,awarded_on\n17.0,cpt,OLD-1,2024-01-01\n",
     "holder_ref"),
    ("roster", ROSTER + "Acme,17.0,A,,,\n", "employee_id"),
    ("roster", ROSTER + "Acme,1,17.0,,,\n", "holder_ref"),
    ("roster", ROSTER + "Acme,1,,,17.0,\n", "certificate_number"),
]  # fmt: skip


@pytest.fixture
def registered(office):
    """A and B are on record, and A is certified since 2022."""
    bring(office, "holders", HOLDERS)
    certify(office, "A", "2022-01-15")
    return office


def test_a_key_that_a_program_made_a_fraction_is_refused_in_every_kind_of_file(registered):
    for kind, file, column in FRACTIONS:
        found = refused(registered, kind, file)
        assert found == [(2, column, f"{FRACTION}without .0 and with the zeros before it")], file


def test_the_form_of_the_fraction_is_named(office):
    file = "holder_ref;given_name;family_name;email\n0017,0;Cy;Ek;cy@example.org\n"
    ((_, _, rule),) = refused(office, "holders", file)

    assert rule == f"{FRACTION}without ,0 and with the zeros before it"


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
