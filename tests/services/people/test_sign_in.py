"""Signing in by a mailed code or link (services/people/sign_in.py, accounts.py)."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tests import factories
from tests.backends import SQLITE
from tests.mail_faults import Cut
from tests.services.delivery import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.db import new_id
from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import (
    Account,
    Certification,
    HistoryEntry,
    Holder,
    LoginSession,
    Message,
    SignIn,
)
from tracker.services import imports
from tracker.services.delivery import composers, sent_messages
from tracker.services.delivery.sealing import Composed
from tracker.services.delivery.sent_messages import MessageFilter
from tracker.services.outbox import suppressions
from tracker.services.people import holders, preferences, recoveries, sign_in
from tracker.services.people.recoveries import NewRecovery

ANA = "ana@example.org"

pytestmark = pytest.mark.usefixtures("ana")


@pytest.fixture
def ana(container):
    holder_id, _ = factories.certified(
        container, date(2026, 11, 2), given_name="Ana", family_name="Ruiz", email=ANA, language="es"
    )
    return holder_id


def rows(container, *columns):
    with container.reading(SYSTEM) as reading:
        return [tuple(row) for row in reading.rows(select(*columns))]


def codes_mailed(container):
    statement = select(Message.id).where(Message.kind == "sign_in")
    with container.reading(SYSTEM) as reading:
        return len(reading.rows(statement))


def write(container, holder_id, **values):
    with container.work(SYSTEM) as work:
        work.execute(update(Holder).where(Holder.id == holder_id).values(values))


def test_the_first_sign_in_claims_the_record_and_the_next_finds_the_account(container, desk, ana):
    first = desk.actor(desk.sign_in(ANA))
    second = desk.actor(desk.sign_in(ANA))

    assert (first.role, first.holder_id, first.name) == ("holder", ana, "Ana Ruiz")
    assert first.person_id == second.person_id
    assert first.session_id != second.session_id
    assert rows(container, Account.holder_id, Account.email) == [(ana, ANA)]
    lines = select(HistoryEntry.action).where(HistoryEntry.subject == "account")
    with container.reading(SYSTEM) as reading:
        told = [row.action for row in reading.rows(lines.order_by(HistoryEntry.id))]
    assert told == ["claim", "sign_in", "sign_in"]


@SQLITE
def test_a_certificate_number_signs_in_by_an_address_on_record(container, desk, ana):
    ((number,),) = rows(container, Certification.number)

    assert desk.actor(desk.sign_in(number.replace("-", " ").lower())).holder_id == ana


@SQLITE
def test_a_code_is_used_once(desk):
    secret = desk.begin(ANA)
    code = desk.code(secret)

    assert desk.enter(secret, code) is not None
    assert desk.enter(secret, code) is None


def test_one_of_ten_browsers_that_enter_the_code_at_once_gets_in(desk):
    secret = desk.begin(ANA)
    code = desk.code(secret)

    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: desk.enter(secret, code), range(10)))

    assert len([one for one in found if one is not None]) == 1


def test_two_first_sign_ins_at_once_make_one_account(container, desk):
    secrets = [desk.begin(ANA) for _ in range(2)]

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda one: desk.enter(one, desk.code(one)), secrets))

    assert None not in found
    assert len(rows(container, Account.id)) == 1


@SQLITE
def test_five_wrong_codes_spoil_the_attempt(desk):
    secret = desk.begin(ANA)
    right = desk.code(secret)
    wrong = f"{(int(right) + 1) % 10**6:06}"

    assert [desk.enter(secret, wrong) for _ in range(5)] == [None] * 5
    assert desk.enter(secret, right) is None
    assert desk.attempt(secret).tries == 5


@SQLITE
def test_a_code_expires(desk, clock):
    secret = desk.begin(ANA)
    clock.advance(minutes=10)

    assert desk.enter(secret, desk.code(secret)) is None


@SQLITE
def test_a_code_is_worth_nothing_in_another_browser(desk):
    mine, other = desk.begin(ANA), desk.begin(ANA)

    assert desk.enter(other, desk.code(mine)) is None


@pytest.mark.parametrize("identifier", ["nobody@example.org", "CPT-AAAAA-AAAAA"])
def test_nobody_signs_in_who_is_not_on_record(container, desk, identifier):
    secret = desk.begin(identifier)

    assert desk.enter(secret, desk.code(secret)) is None
    assert codes_mailed(container) == 0
    assert rows(container, SignIn.identifier, SignIn.tries) == [(None, 1)]


@SQLITE
def test_neither_the_deceased_nor_their_sessions(container, desk, ana):
    session = desk.sign_in(ANA)
    write(container, ana, deceased_on=date(2026, 11, 20))

    assert desk.actor(session) is None
    assert desk.sign_in(ANA) is None


@SQLITE
def test_an_address_that_two_people_share_lets_neither_in_but_the_number_does(container, desk, ana):
    with container.work(SYSTEM) as work:
        factories.holder(work, email="ANA@example.org")
    ((number,),) = rows(container, Certification.number)

    assert desk.sign_in(ANA) is None
    assert desk.actor(desk.sign_in(number)).holder_id == ana


def test_an_address_that_the_holder_entered_does_not_sign_in_and_the_former_one_does(
    container, desk, ana
):
    session = desk.sign_in(ANA)
    write(container, ana, email="new@example.org", email_confirmed=False)

    assert desk.sign_in("new@example.org") is None
    assert desk.actor(desk.sign_in(ANA)).holder_id == ana
    assert desk.actor(session).holder_id == ana


@SQLITE
def test_once_staff_record_another_address_the_former_one_and_its_sessions_are_dead(
    container, desk, ana
):
    session, waiting = desk.sign_in(ANA), desk.begin(ANA)
    write(container, ana, email="new@example.org")

    assert desk.actor(session) is None
    assert desk.enter(waiting, desk.code(waiting)) is None
    assert desk.sign_in(ANA) is None
    assert desk.actor(desk.sign_in("new@example.org")).holder_id == ana


@SQLITE
def test_nothing_is_mailed_to_an_address_that_is_not_written_to(container, desk):
    with container.work(SYSTEM) as work:
        suppressions.suppress(work, [ANA], suppressions.HARD)

    desk.begin(ANA)

    assert codes_mailed(container) == 0


def test_the_message_has_code_and_link_in_the_holders_language_whatever_they_prefer(
    container, desk, ana
):
    with container.work(SYSTEM) as work:
        for topic in ("reminders", "decisions"):
            preferences.change_for(work, ana, {topic: {"wanted": False}}, reason="x")
    with cases.relay(container) as (sending, catcher):
        secret = desk.begin(ANA)
        jobs.dispatch(sending)
        (letter,) = catcher.letters()

    assert letter.recipient == ANA
    code = desk.code(secret)
    assert f"{code[:3]} {code[3:]}" in letter.text
    assert code[:3] not in letter.subject
    assert letter.subject == "Su código para iniciar sesión en Tracker"
    assert "List-Unsubscribe" not in letter.message
    (proof,) = re.findall(r"/sign-in/link/(\S+)", letter.text)
    with container.work(SYSTEM) as work:
        done = sign_in.by_link(work, proof, agent="")
    assert done is not None
    assert desk.actor(done.secret).holder_id == ana


def test_a_second_copy_has_the_same_bytes_though_its_row_holds_no_code(container, desk):
    """The connection is lost before the relay says that it kept the message."""
    with cases.relay(container) as (sending, catcher):
        catcher.behaviour.cuts[ANA] = [Cut.BEFORE_250]
        secret = desk.begin(ANA)
        jobs.dispatch(sending)
        (letter,) = catcher.letters()
    with container.reading(SYSTEM) as reading:
        row = reading.row(sent_messages._OUTBOX.where(Message.kind == "sign_in"))
        (made,) = composers.written(
            reading, container.message_key, [sent_messages._claim(row)]
        ).values()

    assert row.state == MessageState.AMBIGUOUS
    assert desk.code(secret) not in re.findall(r"\d+", str(row))
    assert isinstance(made, Composed)
    assert made.data == letter.raw


def test_a_code_that_was_used_or_is_too_old_is_not_mailed_any_more(container, desk, clock):
    with cases.relay(container) as (sending, catcher):
        secret = desk.begin(ANA)
        desk.enter(secret, desk.code(secret))
        desk.begin(ANA)
        clock.advance(minutes=11)
        jobs.dispatch(sending)

        assert catcher.letters() == []
    assert {row[0] for row in rows(container, Message.state)} >= {MessageState.CANCELLED}


def test_nothing_stored_tells_the_code_and_nobody_reads_the_message_in_a_list(container, desk):
    with cases.relay(container) as (sending, _):
        secret = desk.begin(ANA)
        jobs.dispatch(sending)
    code = desk.code(secret)
    with container.reading(SYSTEM) as reading:
        copies = sent_messages.page(reading, container.message_key, MessageFilter(None, 10))
        stored = [
            str(tuple(row))
            for table in (Message, SignIn, HistoryEntry)
            for row in reading.rows(select(table.__table__))
        ]

    sign_ins = [copy for copy in copies if copy.row.kind == "sign_in"]
    assert [(copy.subject, copy.text) for copy in sign_ins] == [(None, None)]
    assert not any(code in row or secret in row for row in stored)


@pytest.mark.parametrize("spoil", [str.upper, lambda text: text[:-1] + "!", lambda _: "x", "".join])
def test_a_link_works_once_and_no_other_text_does(container, desk, spoil):
    secret = desk.begin(ANA)
    with container.work(SYSTEM) as work:
        proof = sign_in.link(work, work.message_key, desk.attempt(secret).id).rpartition("/")[2]
    given = spoil(proof)
    is_right = given.lower() == proof
    with container.reading(SYSTEM) as reading:
        assert sign_in.is_open(reading, container.message_key, given) is is_right
    with container.work(SYSTEM) as work:
        found = [sign_in.by_link(work, given, agent="") for _ in range(2)]

    assert [one is not None for one in found] == [is_right, False]


def test_old_attempts_and_sessions_are_deleted(container, desk, ana, clock):
    desk.sign_in(ANA)
    clock.now += timedelta(days=2)
    jobs.tidy(container)
    assert rows(container, SignIn.id) == []

    clock.now += timedelta(days=60)
    jobs.tidy(container)
    assert desk.actor(desk.sign_in(ANA)).holder_id == ana


@SQLITE
def test_what_waited_too_long_is_not_looked_up(container, clock):
    with container.work(SYSTEM) as work:
        sign_in.begin(work, ANA)
    clock.advance(minutes=11)

    assert jobs.look_up_sign_ins(container) == 1
    assert codes_mailed(container) == 0


def test_an_attempt_is_looked_up_once_by_however_many_processes(container):
    with container.work(SYSTEM) as work:
        sign_in.begin(work, ANA)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(jobs.look_up_sign_ins, [container] * 4))

    assert sum(found) == 1
    assert codes_mailed(container) == 1


def test_a_code_for_an_address_that_staff_replaced_leaves_nothing_behind(container, desk, ana):
    secret = desk.begin(ANA)
    write(container, ana, email="new@example.org")

    assert desk.enter(secret, desk.code(secret)) is None
    assert rows(container, Account.id) == rows(container, LoginSession.id) == []


def correct(container, holder_id, actor, **values):
    with container.work(actor) as work:
        version = work.row(select(Holder.version).where(Holder.id == holder_id)).version
        holders.correct(work, holder_id, values, version=version)


STAFF = Actor(role="staff", name="Sam")


def test_an_address_that_staff_replaced_does_not_come_back_when_the_holder_enters_another(
    container, desk, ana
):
    own = Actor(role="holder", name="Ana", holder_id=ana)
    session = desk.sign_in(ANA)
    recover(container, ana, "new@example.org")
    correct(container, ana, own, email="newer@example.org")

    assert desk.actor(session) is None
    assert desk.sign_in(ANA) is None
    assert desk.sign_in("newer@example.org") is None
    assert desk.actor(desk.sign_in("new@example.org")).holder_id == ana


def recover(container, holder_id, email):
    """Two of the staff give a holder another address."""
    with container.work(replace(STAFF, person_id=new_id())) as work:
        wanted = NewRecovery("Lost the mailbox.", holder_id=holder_id, email=email)
        made = recoveries.propose(work, wanted)
    with container.work(replace(STAFF, person_id=new_id())) as work:
        recoveries.approve(work, made.id)


@pytest.mark.parametrize("field", ["email", "second_email"])
def test_once_there_is_an_account_nobody_of_the_staff_alone_lets_another_mailbox_in(
    container, desk, ana, field
):
    """Also not by entering it twice. A former address that was replaced lets nobody in either."""
    desk.sign_in(ANA)
    for _ in range(2):
        correct(container, ana, STAFF, **{field: "new@example.org"})

    assert desk.sign_in("new@example.org") is None
    assert (desk.sign_in(ANA) is None) is (field == "email")
    recover(container, ana, "new@example.org")
    assert desk.actor(desk.sign_in("new@example.org")).holder_id == ana


@pytest.mark.parametrize(
    ("person", "gets_in"), [(None, True), ("01900000-0000-7000-8000-000000000000", False)]
)
def test_nor_does_a_file_that_somebody_imports_but_the_operators_do(
    container, desk, ana, person, gets_in
):
    desk.sign_in(ANA)
    file = f"holder_ref,given_name,family_name,email\n{ana},Ana,Ruiz,new@example.org\n"
    for _ in range(2):
        with container.work(replace(STAFF, person_id=person)) as work:
            imports.run(work, "holders", io.BytesIO(file.encode()), filename="holders.csv")

    assert (desk.sign_in("new@example.org") is not None) is gets_in


@SQLITE
def test_before_there_is_an_account_staff_enter_the_address_that_signs_in(container, desk, ana):
    correct(container, ana, STAFF, email="new@example.org")

    assert desk.actor(desk.sign_in("new@example.org")).holder_id == ana


def test_a_second_address_that_staff_remove_lets_nobody_in(container, desk, ana):
    own = Actor(role="holder", name="Ana", holder_id=ana)
    correct(container, ana, STAFF, second_email="second@example.org")
    correct(container, ana, own, email="newer@example.org")
    session = desk.sign_in("second@example.org")
    assert desk.actor(session).holder_id == ana
    correct(container, ana, STAFF, second_email=None)

    assert desk.actor(session) is None
    assert desk.sign_in("second@example.org") is None


def test_people_with_the_longest_names_sign_in(container, desk):
    with container.work(SYSTEM) as work:
        long = {"given_name": "A" * 100, "family_name": "R" * 100, "email": "long@example.org"}
        factories.holder(work, **long)

    assert desk.actor(desk.sign_in("long@example.org")).name == "A" * 100


@SQLITE
def test_a_crowd_of_callers_cannot_have_codes_without_end_mailed_to_one_person(
    container, desk, clock
):
    ((number,),) = rows(container, Certification.number)
    for identifier in (ANA, number) * 21:
        desk.begin(identifier)

    assert codes_mailed(container) == 40
    clock.advance(minutes=61)
    assert desk.sign_in(ANA) is not None


def test_many_wrong_codes_at_once_are_no_more_than_five_tries(desk):
    secret = desk.begin(ANA)
    right = desk.code(secret)
    wrong = [f"{(int(right) + n) % 10**6:06}" for n in range(1, 11)]

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(lambda code: desk.enter(secret, code), wrong)) == {None}

    assert desk.attempt(secret).tries == 5
    assert desk.enter(secret, right) is None


def test_code_and_link_of_an_attempt_together_sign_in_once(container, desk):
    secret = desk.begin(ANA)
    code = desk.code(secret)
    with container.reading(SYSTEM) as reading:
        link = sign_in.link(reading, container.message_key, desk.attempt(secret).id)

    def use(number):
        if number % 2:
            return desk.enter(secret, code)
        with container.work(SYSTEM) as work:
            return sign_in.by_link(work, link.rpartition("/")[2], agent="")

    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(use, range(10)))

    assert len([one for one in found if one is not None]) == 1
    assert len(rows(container, LoginSession.id)) == 1


@SQLITE
def test_a_second_address_that_a_file_replaces_lets_nobody_in(container, desk, ana):
    own = Actor(role="holder", name="Ana", holder_id=ana)
    correct(container, ana, STAFF, second_email="second@example.org")
    correct(container, ana, own, email="newer@example.org")
    session = desk.sign_in("second@example.org")
    assert desk.actor(session).holder_id == ana
    file = (
        "holder_ref,given_name,family_name,email,second_email\n"
        f"{ana},Ana,Ruiz,newer@example.org,third@example.org\n"
    )
    with container.work(STAFF) as work:
        imports.run(work, "holders", io.BytesIO(file.encode()), filename="holders.csv")

    assert desk.actor(session) is None
    assert desk.sign_in("second@example.org") is None
    assert desk.actor(desk.sign_in("third@example.org")).holder_id == ana


@pytest.mark.parametrize("role", ["staff", "admin", "employer"])
def test_no_account_of_a_holder_has_another_role(container, ana, role):
    """A mailed code signs in to the account of the record, so it must never be more than that."""
    account = Account(
        role=role, name="Sam", email=ANA, holder_id=ana, recorded_at=container.clock()
    )
    with pytest.raises(IntegrityError), container.work(SYSTEM) as work:
        work.session.add(account)


@SQLITE
def test_an_address_to_which_nothing_can_be_written_does_not_stop_the_other_messages(
    container, desk, ana
):
    """Addresses of former releases may have forms that are refused today."""
    with container.work(SYSTEM) as work:
        factories.holder(work, email="bea@example.org")
    ((number,),) = rows(container, Certification.number)
    write(container, ana, email="ana,ruiz@example.org")
    with cases.relay(container) as (sending, catcher):
        desk.begin(number)
        desk.begin("bea@example.org")
        jobs.dispatch(sending)

        assert [letter.recipient for letter in catcher.letters()] == ["bea@example.org"]


def test_many_attempts_are_looked_up_by_as_few_statements_as_one(container):
    """People are read through for an address, which takes long where there are many."""
    ((number,),) = rows(container, Certification.number)
    with container.work(SYSTEM) as work:
        factories.holder(work, email="bea@example.org")
    everybody = [ANA, number.replace("-", ""), "bea@example.org", "nobody@example.org", "CPT1"]
    with container.work(SYSTEM) as work:
        for identifier in everybody * 3:
            sign_in.begin(work, identifier)
    with counted(container) as sent:
        jobs.look_up_sign_ins(container)

    assert codes_mailed(container) == 9
    assert len([one for one in sent if "FROM holder" in one]) == 2
