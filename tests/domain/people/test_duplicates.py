"""Which two records are probably of one person (domain/people/duplicates.py)."""

from __future__ import annotations

import pytest

from tracker.domain.names import FoldedName
from tracker.domain.people.duplicates import DuplicateSign, PersonToCompare, pairs, signs

EMAIL, NAME, SIMILAR = (
    DuplicateSign.SAME_EMAIL,
    DuplicateSign.SAME_NAME,
    DuplicateSign.SIMILAR_NAME,
)
EMPLOYER, EMPLOYEE = DuplicateSign.SAME_EMPLOYER, DuplicateSign.SAME_EMPLOYEE_ID


def person(id_, *names, emails=(), employers=(), employee_ids=()):
    return PersonToCompare(
        id_,
        tuple(FoldedName(*name.split("|")) for name in names),
        frozenset(emails),
        frozenset(employers),
        frozenset(employee_ids),
    )


ANA = person("1", "Ana|Peña", emails=["a@x.org"], employers=["e"], employee_ids=[("e", "7")])


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (person("2", "Bo|Lee", emails=["a@x.org"]), (EMAIL,)),
        (person("2", "ANA|pena", emails=["a@x.org"]), (NAME, EMAIL)),
        (person("2", "Ana|Peña"), ()),
        (person("2", "Ana|Peña", emails=["b@x.org"]), ()),
        (person("2", "Bo|Lee", employers=["e"], employee_ids=[("e", "7")]), ()),
        (person("2", "Pena|Ana", employers=["e"]), (NAME, EMPLOYER)),
        (person("2", "Anna|Peña", employers=["e"]), (SIMILAR, EMPLOYER)),
        (person("2", "Ana|Peña Soto", employers=["e"]), (SIMILAR, EMPLOYER)),
        (person("2", "|Ana", employers=["e"]), ()),
        (person("2", "Ada|Bell", "Ana|Peña", employers=["e"]), (NAME, EMPLOYER)),
        (
            person("2", "Ana|Peña", employers=["e"], employee_ids=[("e", "7")]),
            (NAME, EMPLOYEE, EMPLOYER),
        ),
        (person("2", employers=["e"], employee_ids=[("e", "7")]), ()),
    ],
)
def test_a_shared_address_is_enough_and_a_name_needs_another_sign(other, expected):
    assert signs(ANA, other) == signs(other, ANA) == expected


def test_pairs_are_found_among_people_whose_names_begin_alike_or_who_share_an_address():
    people = [
        person("4", "Pena|Ana", employers=["e"]),
        ANA,
        person("3", "Cy|Ruiz", emails=["a@x.org"]),
        person("2", "Madonna|", employers=["e"]),
        person("5", "Madonna|", employers=["e"]),
    ]

    assert pairs(people) == {
        ("1", "4"): (NAME, EMPLOYER),
        ("1", "3"): (EMAIL,),
        ("2", "5"): (NAME, EMPLOYER),
    }


def test_what_very_many_share_is_no_sign():
    mailbox = [person(f"{n:02}", f"A{n}|B{n}", emails=["hr@x.org"]) for n in range(11)]
    crowd = [person(f"{n:03}", "Ana|Peña", employers=["e"]) for n in range(201)]

    assert pairs(mailbox) == pairs(crowd) == {}
    assert len(pairs(mailbox[1:])) == 45
