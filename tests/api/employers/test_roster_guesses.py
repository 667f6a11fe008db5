"""No employer learns by guessing: a right guess is answered, byte for byte, like a wrong one."""

from __future__ import annotations

import io
import re
from datetime import date

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from tests import factories
from tests.api.employers import employer_cases
from tracker import jobs
from tracker.domain.periods import Period
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, RosterEntry
from tracker.services.employers import digest_contents

HEAD = "employer,employee_id,email,certificate_number,site,ended_on\n"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# What is known of Eva besides the address under which she is listed, and a guess at no one.
GUESSES = {
    "second address": ("email", "Eva.Secret@EXAMPLE.net", "Eva.Public@EXAMPLE.net"),
    "number without hyphens": ("certificate_number", None, "cpt2222222222"),
    "somebody else": ("email", "bob@example.org", "bib@example.org"),
}


class Hr:
    """An employer that lists Eva, who shares, and that tries things."""

    def __init__(self, container, caller, name, kind, guess):
        self.container, self.name, self.kind, self.guess = container, name, kind, guess
        company = self.company = employer_cases.company(container, name)
        self.call, self.answers = caller("employer", employer_id=company.id), []

    def words(self, guess="", **more):
        return more | ({self.kind: guess} if guess else {})

    def post(self, employee_id, **words):
        self.keep(
            self.call.post(self.company.path("/roster"), {"employee_id": employee_id} | words)
        )

    def send(self, *lines):
        """A file of lines: employee_id, words, and perhaps the day on which it ended."""
        rows = "".join(
            f"{self.name},{number},{words.get('email', '')},"
            f"{words.get('certificate_number', '')},,{more[0] if more else ''}\n"
            for number, words, *more in lines
        )
        form = {"kind": "roster", "file": (io.BytesIO((HEAD + rows).encode()), "f.csv")}
        made = self.keep(self.call.call("POST", "/imports", data=form))
        self.keep(self.call.get(f"/imports/{made.json['id']}"))

    def end(self, employee_id):
        with self.container.reading(SYSTEM) as reading:
            statement = select(RosterEntry.id).where(
                RosterEntry.employer_id == self.company.id,
                RosterEntry.employee_id == employee_id,
                RosterEntry.ended_on.is_(None),
            )
            (id_,) = reading.row(statement)
        self.keep(self.call.delete(self.company.path(f"/roster/{id_}")))

    def look(self):
        for path in (
            "/roster?limit=200",
            "/workforce?as_of=2027-05-05",
            "/workforce/summary",
            "/workforce.csv?points=true",
        ):
            self.keep(self.call.get(self.company.path(path)))
        listed = self.call.get(self.company.path("/roster?limit=200")).json["items"]
        for entry in listed:
            self.keep(self.call.get(self.company.path(f"/workforce/{entry['id']}")))
        with self.container.reading(SYSTEM) as reading:
            period = Period(date(2026, 11, 16), date(2026, 11, 22))
            told = digest_contents.snapshot(reading, self.company.id, period)
            self.answers.append(str(told | {"consents": ""}))

    def look_into_the_workbook(self):
        """The same rows as in the table of workforce.csv, once."""
        book = load_workbook(io.BytesIO(self.call.get(self.company.path("/workforce.xlsx")).data))
        self.answers += [str(row) for row in book.worksheets[0].iter_rows(values_only=True)]

    def keep(self, answer):
        self.answers.append(f"{answer.status_code} {answer.get_data(as_text=True)}")
        return answer

    def plain(self, number):
        """All answers, without what tells this employer and this guess from another.

        Eva's number, which may be the guess, is shown while she shares, whatever was guessed.
        """
        found = "\n".join(self.answers)
        for guess in (self.guess, number):
            found = re.sub(rf"(?i){re.escape(guess)}", "GUESS", found)
        return re.sub(r"Acme \d[rw]", "Acme", _ID.sub("ID", found))


HOME = {"email": "eva@home.example"}


def post_it(hr):
    hr.post("8", **hr.words(hr.guess))


def bring_it_in_a_file(hr):
    hr.send(("7", HOME), ("8", hr.words(hr.guess)))
    hr.send(("7", HOME), ("8", hr.words(hr.guess)))


def put_it_into_the_entry_that_is_shared(hr):
    hr.send(("7", hr.words(hr.guess)))
    hr.send(("7", hr.words(hr.guess)))


def put_it_beside_the_address(hr):
    hr.send(("7", HOME | ({} if hr.kind == "email" else hr.words(hr.guess))))


def put_it_into_a_second_entry_and_nothing_into_the_first(hr):
    hr.send(("8", hr.words(hr.guess)), ("7", {}))


def swap(hr):
    hr.post("8", **hr.words(hr.guess))
    hr.send(("8", HOME), ("7", hr.words(hr.guess)))


def end_the_entry_and_post_it(hr):
    hr.end("7")
    hr.post("7", **hr.words(hr.guess))


def post_it_and_end_the_entry(hr):
    hr.post("8", **hr.words(hr.guess))
    hr.end("7")


def end_the_entry_and_bring_it_in_one_file(hr):
    hr.send(("8", hr.words(hr.guess)), ("7", HOME, "2026-11-21"))


def add_it_and_move_the_words(hr):
    """The words of a shared entry, a guess among them, in a second one that outlives it."""
    both = HOME | ({} if hr.kind == "email" else hr.words(hr.guess))
    hr.send(("7", both))
    hr.send(("7", both), ("8", both))
    hr.end("7")


def let_the_entry_end_by_itself(hr):
    hr.send(("7", HOME, "2026-11-25"), ("8", hr.words(hr.guess)))


WAYS = [
    post_it,
    bring_it_in_a_file,
    put_it_into_the_entry_that_is_shared,
    put_it_beside_the_address,
    put_it_into_a_second_entry_and_nothing_into_the_first,
    swap,
    end_the_entry_and_post_it,
    post_it_and_end_the_entry,
    end_the_entry_and_bring_it_in_one_file,
    add_it_and_move_the_words,
    let_the_entry_end_by_itself,
]


@pytest.fixture
def eva(container):
    """Eva, certified; someone else is on record too. Her ids and her number."""
    holder_id, certification_id = factories.certified(
        container,
        date(2023, 5, 1),
        given_name="Eva",
        email="eva@home.example",
        second_email="eva.secret@example.net",
    )
    factories.certified(container, date(2023, 5, 1), email="bob@example.org")
    with container.reading(SYSTEM) as reading:
        statement = select(Certification.number).where(Certification.id == certification_id)
        return holder_id, reading.row(statement).number


def employer(container, caller, eva_id, name, guess):
    """One of two employers that are alike; Eva shares with it under its entry 7."""
    hr = Hr(container, caller, name, *guess)
    hr.post("7", **HOME)
    ana = caller("holder", holder_id=eva_id)
    assert ana.post("/me/sharing", {"employer_id": hr.company.id}).status_code == 201
    assert hr.call.get(hr.company.path("/workforce")).json["items"][0]["name"] == "Eva Peña"
    return hr


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_right_guess_is_answered_like_a_wrong_one(request, caller, clock, eva, way):
    """Every way with every guess, one of them, in turn, on PostgreSQL and the others on SQLite."""
    container, backend = (request.getfixturevalue(name) for name in ("container", "backend"))
    eva_id, number = eva
    for at, (what, (kind, right, wrong)) in enumerate(GUESSES.items()):
        is_in_turn = at == WAYS.index(way) % len(GUESSES)
        if is_in_turn != (backend == "postgresql"):
            continue
        clock.set("2026-11-21")
        known = right or number.replace("-", "").lower()
        both = [
            employer(container, caller, eva_id, f"Acme {at}{which}", (kind, guess))
            for which, guess in (("r", known), ("w", wrong))
        ]
        for hr in both:
            way(hr)
            hr.look()
        clock.set("2026-11-25")
        jobs.end_employments(container)
        for hr in both:
            hr.look()
            hr.look_into_the_workbook()
        one, other = (hr.plain(number) for hr in both)
        assert one == other, what
