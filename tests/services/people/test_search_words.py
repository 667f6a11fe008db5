"""services/people/search_words.py: what people are found by agrees with what is on record."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections import defaultdict
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from tests import factories
from tests.benchmarks import people
from tests.conftest import examples
from tests.services.imports.importing import bring
from tests.statements import counted
from tracker.domain.errors import CannotBeUndone
from tracker.domain.names import find_person
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Holder, HolderWord
from tracker.services.core.context import Container, UnitOfWork
from tracker.services.desk import merges
from tracker.services.overview import belongings, integrity
from tracker.services.overview.belongings import ErasedPerson
from tracker.services.people import holders, search_words
from tracker.settings import ROOT

SAM = Actor(role="staff", name="Sam")
KINDS = ("rename", "address", "import", "merge", "undo", "erase")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Act:
    """Something done to one of three people, with a name and an address for it."""

    kind: str
    who: int
    name: str
    address: str


ACTS = st.lists(
    st.builds(
        Act,
        kind=st.sampled_from(KINDS),
        who=st.integers(0, 2),
        name=st.sampled_from(("Peña", "Peña-Soto", "De la Cruz", "O'Brien", "Łuk")),
        address=st.sampled_from(("Ana.R@example.org", "bo@münchen.example", "m@example.org")),
    ),
    min_size=4,
    max_size=8,
)


class Office:
    """Three people on record, and everything that changes what they are found by."""

    def __init__(self, container: Container) -> None:
        self.container = container
        with container.work(SYSTEM) as work:
            self.ids = [factories.holder(work, ref=f"S{next(_numbers)}") for _ in range(3)]
        self.merge_id: str | None = None

    def carry_out(self, act: Act) -> None:
        """Do something, unless it cannot be done any more."""
        with contextlib.suppress(CannotBeUndone), self.container.work(SAM) as work:
            holder = work.session.get_one(Holder, self.ids[act.who])
            if act.kind == "undo" and self.merge_id is not None:
                self._undo(work, self.merge_id)
            elif holder.erased_at is None and holder.merged_into_id is None:
                self._change(work, holder, act)

    def _change(self, work: UnitOfWork, holder: Holder, act: Act) -> None:
        if act.kind == "rename":
            holders.write(work, holder, {"family_name": act.name}, reason="Married.")
        elif act.kind == "address":
            holders.write(work, holder, {"email": act.address, "second_email": None}, reason="x")
        elif act.kind == "merge":
            self._merge(work, holder)
        elif act.kind == "erase":
            belongings.remove(work, ErasedPerson(holder.id, ()))
            belongings.empty(work, holder.id, work.now)

    def _merge(self, work: UnitOfWork, holder: Holder) -> None:
        kept = self.ids[0]
        if self.merge_id or holder.id == kept or work.session.get_one(Holder, kept).erased_at:
            return
        self.merge_id = merges.merge(work, kept, holder.id, reason="One person.")

    def _undo(self, work: UnitOfWork, merge_id: str) -> None:
        row = merges.get(work, merge_id)
        both = [work.session.get_one(Holder, one) for one in (row.holder_id, row.merged_id)]
        if not any(one.erased_at for one in both):
            merges.undo(work, merge_id, reason="Two people.")
            self.merge_id = None

    def bring(self, act: Act) -> None:
        """Import somebody who is on record, with another name and address, and somebody new."""
        with self.container.reading(SYSTEM) as reading:
            known = select(Holder.ref, Holder.email).where(Holder.id == self.ids[act.who])
            [(ref, email)] = reading.rows(known)
        rows = [
            ["holder_ref", "given_name", "family_name", "email", "second_email"],
            [ref, "Jo", act.name, email, act.address],
            [f"S{next(_numbers)}", "Jo", act.name, act.address, ""],
        ]
        bring(self.container, "holders", "\n".join(map(",".join, rows)))


@settings(
    examples(12),
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS)
def test_whatever_was_done_words_are_those_of_names_and_addresses_on_record(container, acts):
    office = Office(container)
    for act in acts:
        if act.kind == "import":
            office.bring(act)
        else:
            office.carry_out(act)

    gone = Holder.erased_at.is_not(None) | Holder.merged_into_id.is_not(None)
    left = select(HolderWord.word).join(Holder, Holder.id == HolderWord.holder_id).where(gone)
    with container.reading(SYSTEM) as reading:
        ids = [row.id for row in reading.rows(select(Holder.id))]
        assert search_words.differing(reading, ids) == []
        assert reading.rows(left) == []


def test_every_service_that_writes_names_sees_to_their_words():
    """A new one must do so too: nobody would find those whom it writes."""
    sources = {file: file.read_text("utf-8") for file in (ROOT / "tracker/services").rglob("*.py")}
    writing = [
        text
        for text in sources.values()
        if "names.columns(" in text or re.search(r"[\"']folded_name[\"']\]? ?[:=][^=]", text)
    ]

    assert len(writing) >= 4
    assert all("search_words." in text or "HolderWord)" in text for text in writing)


def test_words_that_disagree_with_what_is_on_record_are_noticed_and_made_again(container):
    with container.work(SYSTEM) as work:
        ids = [factories.holder(work, ref=f"W{n}") for n in range(3)]
        named = update(Holder).where(Holder.id == ids[1])
        work.execute(named.values(folded_name=" ek , bo ;"))  # behind the service's back
        found = integrity.words(work)
        assert (found.examined, found.wrong) == (3, ("W1",))
        search_words.settle(work, ids)
        assert integrity.words(work).wrong == ()
        assert [row.ref for row in found_by(work, "bo ek")] == ["W1"]


def found_by(reading, query, *, after=None, limit=50):
    return holders.search(reading, after=after, limit=limit, filters={"q": query})


ASKED = (
    {"q": "soto iñ"},
    {"q": "penasoto inigo"},
    {"q": "r0000017@ex"},
    {"q": "R0000017@Example.org"},
    {"q": "peña soto iñigo de la cruz y vega"},
    {"given_name": "inigo"},
    {"email": "r0000017@example.org"},
)


def test_people_are_found_through_indexes_with_the_same_statements_however_many(container, backend):
    """Words of a name, a part of an address, a whole one, many words; page by page."""
    with container.work(SYSTEM) as work:
        people.register(work, 4_000, prefix="R")
        named = {"given_name": "Íñigo", "family_name": "Peña-Soto", "email": "i@example.org"}
        rare = factories.holder(work, **named)
    with container.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("analyze")
    with container.reading(SYSTEM) as reading:
        for filters in ASKED:
            plan = plan_of(reading, backend, filters)
            assert "ix_holder_word_word" in plan, (filters, plan)
            for whole in ("scan holder", "seq scan on holder"):
                assert whole not in plan.lower(), (filters, plan)
        assert [row.id for row in found_by(reading, "soto ini")] == [rare]
        with counted(container) as few:
            found_by(reading, "soto")
        with counted(container) as many:
            first = found_by(reading, "ana pen", limit=20)
        rest = found_by(reading, "ana pen", after=first[-1].id, limit=4_000)
    assert len(few) == len(many) == 2
    assert len({row.id for row in [*first, *rest]}) == 4_000
    assert [row.id for row in rest] == sorted(row.id for row in rest)


def test_a_page_of_nearly_everybody_is_found_by_looking_at_the_next_few(container, backend):
    """A letter with which a word of everybody begins, alone and beside another one."""
    with container.work(SYSTEM) as work:
        people.register(work, 4_000, prefix="R")
    with container.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("analyze")
    with container.reading(SYSTEM) as reading:
        for query in ("a", "ana p"):
            plan = plan_of(reading, backend, {"q": query}).lower()
            assert "holder_id=?" in plan or "holder_id = holder.id" in plan, plan
            for whole in ("seq scan on holder", "sort key: holder.id", "for order by"):
                assert whole not in plan, plan
        assert holders._matches(reading, "q", "zoe").of_each is None
        assert holders._matches(reading, "q", "zoe p").of_each is None


ASKED_OF_MANY = ("a", "e", "ana", "bo", "ana p", "p a", "bo e", "ana e", "r", "r0000012@", "zoe")


@settings(
    examples(30),
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(query=st.sampled_from(ASKED_OF_MANY), limit=st.integers(1, 60), start=st.integers(0, 40))
def test_pages_of_many_are_those_of_the_words_on_record(among_many, query, limit, start):
    """Whether a term is rare or frequent, and wherever a page begins, in the order of ids."""
    container, words = among_many
    expected = [
        id_
        for id_, mine in sorted(words.items())
        if any(
            all(any(word.startswith(piece) for word in mine) for piece in pieces)
            for pieces in find_person(query)
        )
    ]
    after = expected[start] if start < len(expected) else None
    if after is not None:
        expected = expected[start + 1 :]
    with container.reading(SYSTEM) as reading:
        page = found_by(reading, query, after=after, limit=limit)
    assert [row.id for row in page] == expected[:limit]


@pytest.fixture
def among_many(container):
    """1,100 people called Ana Peña, then 30 called Bo Ek, with the words of each."""
    with container.work(SYSTEM) as work:
        people.register(work, 1_100, prefix="R")
        for n in range(30):
            named = {"given_name": "Bo", "family_name": "Ek", "email": f"b{n}@example.org"}
            factories.holder(work, **named)
        words = defaultdict(list)
        for row in work.rows(select(HolderWord.holder_id, HolderWord.word)):
            words[row.holder_id].append(row.word)
    return container, words


def plan_of(reading, backend, filters) -> str:
    """How the database finds the first page."""
    asked = [holders._matches(reading, *one) for one in filters.items()]
    conditions = [one.indexed if one.of_each is None else one.of_each for one in asked]
    if any(one.of_each is not None for one in asked):
        conditions.append(holders._is_among_next(None))
    wanted = select(Holder.id).where(*conditions, Holder.merged_into_id.is_(None))
    compiled = (
        wanted.order_by(Holder.id)
        .limit(50)
        .compile(reading.connection, compile_kwargs={"literal_binds": True})
    )
    begin = "explain query plan " if backend == "sqlite" else "explain "
    found = reading.connection.exec_driver_sql(begin + str(compiled).replace("%", "%%")).fetchall()
    return "\n".join(" ".join(map(str, row)) for row in found)
