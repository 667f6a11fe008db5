"""domain/names.py: how names are compared."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from tracker.domain.names import (
    LONGEST_TEXT,
    FoldedName,
    as_stored,
    find_name,
    find_person,
    is_family_name,
    is_same,
    searchable,
    words,
)


def found(query: str, *names: FoldedName) -> bool:
    """Whether a query finds a person with these names, the current one first."""
    return found_by(find_name(query), words(searchable(names[0], names[1:]), ()))


def found_by(readings: list[list[str]], known: Collection[str]) -> bool:
    """Whether words answer one of the ways to read a query."""
    return any(
        all(any(word.startswith(piece) for word in known) for piece in pieces)
        for pieces in readings
    )


ANA = FoldedName("Ana María", "Núñez-García")


@pytest.mark.parametrize(
    "query",
    [
        "Núñez",
        "nunez",
        "NUÑEZ",
        "García",
        "garcia",
        "gar",
        "ana garcia",
        "garcia ana",
        "Garcia, Ana",
        "maria nunez",
        "Nunez Garcia",
        "nunezgarcia",
        "anamaria",
        "ana-maria",
        "  ana   NUN ",
        "Ana\N{ZERO WIDTH SPACE}",
        "Nu\N{COMBINING TILDE}nez",
        "N\N{FULLWIDTH LATIN SMALL LETTER U}nez",
        "Anamaria Nunez-Garcia",
        "a n",
    ],
)
def test_a_person_is_found_by_words_in_any_order_and_spelling(query):
    assert found(query, ANA)


@pytest.mark.parametrize("query", ["Nuñes", "ana lopez", "unez", "arcia", "n a x", "Ana García2"])
def test_nobody_is_found_by_what_is_not_the_beginning_of_a_word(query):
    assert not found(query, ANA)


@pytest.mark.parametrize(
    ("query", "family"),
    [
        ("obrien", "O'Brien"),
        ("o'brien", "OBrien"),
        ("O Brien", "O\N{RIGHT SINGLE QUOTATION MARK}Brien"),
        ("mary o brien", "OBrien"),
        ("delacruz", "De la Cruz"),
        ("de la cruz", "Delacruz"),
        ("smith jones", "Smith-Jones"),
        ("smithjones", "Smith Jones"),
        ("lodz", "Łódź"),
        ("soren", "Søren"),
        ("strasse", "Straße"),
        ("nguyen", "Nguyễn"),
        ("Ы", "ы"),
        ("李", "李小龙"),
    ],
)
def test_hyphens_apostrophes_blanks_and_letters_with_strokes_are_forgiven(query, family):
    assert found(query, FoldedName("Mary", family))


def test_former_names_are_found_too_and_the_current_one_comes_first():
    names = [FoldedName("Ana", "Ruiz"), FoldedName("Ana", "Soto"), FoldedName("Anna", "Soto")]
    assert all(found(query, *names) for query in ("ruiz", "soto", "anna soto", "soto ana"))
    assert searchable(names[0], names[1:]).startswith(" ruiz , ana ;")
    assert searchable(names[0], [names[0], names[0]]) == searchable(names[0])


@pytest.mark.parametrize("query", ["", "  ", "-", "%", "_", "\N{ZERO WIDTH SPACE}", "'"])
def test_a_query_without_letters_finds_nobody(query):
    assert find_name(query) == []
    assert find_person(query) == []


def test_a_query_of_many_words_is_compared_word_by_word():
    assert len(find_name("a b c d e f g h")) == 9
    assert find_name("a b c d e f g h i")[0] == [*"abcdefghi"]
    assert len(find_name("a b c d e f g h i")) == 2


def test_a_text_is_no_longer_than_an_index_holds():
    former = [FoldedName("x" * 100, f"{n}" * 100) for n in range(9)]
    assert len(searchable(FoldedName("Ana", "Ruiz"), former)) == LONGEST_TEXT
    assert searchable(FoldedName("Ana", "Ruiz"), former).startswith(" ruiz , ana ;")


def test_letters_that_are_composed_otherwise_make_no_other_name():
    apart = FoldedName("Jose\N{COMBINING ACUTE ACCENT}", "Nun\N{COMBINING TILDE}ez")
    assert is_same(apart, FoldedName("José", "Nuñez"))
    assert not is_same(FoldedName("Jose", "Nuñez"), FoldedName("José", "Nuñez"))
    assert as_stored(apart.given) == "José"


def test_a_family_name_on_a_paper_is_compared_as_people_write_it_a_former_one_too():
    known = [FoldedName("Ana", "Peña-Soto"), FoldedName("Ana", "O'Brien")]

    for typed in ("PENA SOTO", "peña-soto", "Obrien"):
        assert is_family_name(typed, known), typed
    assert not is_family_name("Peña", known)


WORDS = words(searchable(ANA), ["Ana.M+N@Example.org", None])


@pytest.mark.parametrize(
    "query",
    [
        "nunez",
        "garcia ana.m",
        "ana.m+n@example.org",
        "ANA.M",
        "ana.m+n@ex",
        "nunez-garcia ana.m+n@ex",
        "Ana Núñez <ana.m+n@example.org>",
        "mailto:ana.m%2Bn@example.org",
        "ana.m+n @ example.org",
        "(García, Ana)",
        "ana",
    ],
)
def test_a_person_is_found_by_the_beginnings_of_names_and_addresses(query):
    assert found_by(find_person(query), WORDS)


@pytest.mark.parametrize("query", ["example.org", "@example.org", "lopez ana.m+n@ex", "a@x.org"])
def test_nobody_is_found_by_the_rest_of_an_address_or_with_another_name(query):
    assert not found_by(find_person(query), WORDS)


def test_a_beginning_that_another_one_has_too_is_not_asked_for_twice():
    assert find_person("an ana")[0] == ["ana"]
    assert find_person("Ruiz ruiz") == [["ruiz"], ["ruizruiz"]]
