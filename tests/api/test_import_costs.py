"""Imports beside everyone else: what a file costs; no one waits for one that is tried out."""

from __future__ import annotations

import io
import threading
import time
import zipfile

import pytest
import xlsxwriter
from sqlalchemy import func, select, text

from tests import factories
from tests.memory import Peak
from tests.serving import form
from tracker import tabular, turns
from tracker.apart import ProcessLimits
from tracker.domain.permissions import SYSTEM
from tracker.models import Holder, RosterEntry, Token

SOME = 15_000
MINUTE = 60


@pytest.fixture
def hr(caller, employer_id):
    return caller("employer", employer_id=employer_id)


def roster(count, shift="Day"):
    rows = "".join(
        f"Palmetto Motors,E{n:07},w{n}@example.org,Greer,Press,{shift}\n" for n in range(count)
    )
    return f"employer,employee_id,email,site,department,shift\n{rows}".encode()


def send(who, data, kind="roster", name="file.csv", **fields):
    sent = form({"kind": kind, **fields}, data, name)
    content_type = sent["headers"]["Content-Type"]
    return who.call("POST", "/imports", data=sent["body"], content_type=content_type)


def entries(container):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(func.count()).select_from(RosterEntry))[0]


def seconds(ask, status):
    began = time.monotonic()
    assert ask().status_code == status
    return time.monotonic() - began


def test_nobody_waits_for_a_dry_run(hr, staff, container, clock):
    assert send(hr, roster(200)).status_code == 201
    found = []
    data = roster(SOME, shift="Night")  # also of entries that are on record, which it changes
    trial = threading.Thread(target=lambda: found.append(send(hr, data, dry_run="true")))
    waits: list[float] = []
    imported: list[float] = []
    last = roster(1, shift="Late")
    trial.start()
    while trial.is_alive():
        clock.advance(seconds=2 * MINUTE)  # so that the use of each token is noted
        waits.append(seconds(lambda: staff.post("/employers", {"name": f"Co. {len(waits)}"}), 201))
        waits.append(seconds(lambda: hr.get("/imports"), 200))
        # A true import beside it, of a row that it holds; a separate process reads that file.
        imported.append(seconds(lambda: send(hr, last), 201))
    trial.join()
    (report,) = found
    assert report.status_code == 201, report.json
    counts = [report.json[name] for name in ("outcome", "rows", "created", "changed", "unchanged")]
    assert counts == ["checked", SOME, SOME - 200, 200, 0]
    assert len(imported) >= 2
    assert max(waits) < 2
    assert max(imported) < 5
    assert entries(container) == 200


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_dry_run_tells_what_the_true_run_tells(staff, container, kind):
    ids = factories.certified(container, container.clock().date().replace(year=2024))
    with container.reading(SYSTEM) as reading:
        ref = reading.row(select(Holder.ref).where(Holder.id == ids[0])).ref
    header = ["attempt_ref", "holder_ref", "scheme", "module", "taken_on", "result", "center"]
    rows = [["a-1", ref, "cpt", "green", "2024-06-01", "pass", "Greer Tech"]]
    into = io.BytesIO()
    (tabular.write_csv if kind == "csv" else tabular.write_xlsx)(into, header, rows)
    options = {"kind": "assessments", "name": f"f.{kind}", "new_centers": "true"}
    tried = send(staff, into.getvalue(), dry_run="true", **options)
    done = send(staff, into.getvalue(), **options)
    assert tried.status_code == done.status_code == 201
    own = {"id", "outcome", "dry_run", "recorded_at"}
    told = [{k: v for k, v in one.json.items() if k not in own} for one in (tried, done)]
    assert told[0] == told[1]
    assert told[0]["effects"]["centers added"] == 1


def test_a_refused_dry_run_is_on_record_and_leaves_nothing(hr, container):
    refused = send(hr, roster(3).replace(b"w1@example.org", b"nothing"), dry_run="true")
    assert refused.status_code == 422
    kept = hr.get(f"/imports/{refused.json['import_id']}").json
    assert (kept["outcome"], kept["dry_run"], kept["total_errors"]) == ("refused", True, 1)
    assert entries(container) == 0


def test_so_many_dry_runs_at_once_and_others_are_told_to_come_again(hr, container):
    of = container.settings.imports.dry_runs_at_once
    folder = container.settings.storage_directory / "turns"
    taken = [turns.take(folder, "rehearsals", of=of) for _ in range(of)]
    busy = send(hr, roster(1), dry_run="true")
    assert (busy.status_code, busy.json["code"]) == (503, "too_busy")
    for one in taken:
        turns.give_back(one)
    assert send(hr, roster(1), dry_run="true").status_code == 201


def test_an_employers_file_has_ten_megabytes_and_the_staffs_more(hr, staff):
    large = roster(1) + (b" " * 999 + b"\n") * (10_500)
    assert send(hr, large).status_code == 413
    assert send(staff, large).status_code == 201


def test_what_an_employer_may_not_send_is_refused_before_it_is_read(hr, container):
    of = container.settings.files
    folder, line = container.settings.storage_directory / "turns", of.at_once + of.waiting
    taken = [turns.take(folder, "files: in line", of=line) for _ in range(line)]
    assert send(hr, b"PK\x03\x04", kind="holders").status_code == 403
    assert send(hr, roster(1)).status_code == 503
    for one in taken:
        turns.give_back(one)


def texts_without_end(count):
    """A workbook of a few megabytes whose texts are hundreds of them in memory."""
    into = io.BytesIO()
    with xlsxwriter.Workbook(into) as book:
        book.add_worksheet().write("A1", "holder_ref")
    texts = "".join(f"<si><t>{n:040}</t></si>" for n in range(count))
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    made = io.BytesIO()
    with (
        zipfile.ZipFile(into) as given,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as heavy,
    ):
        for part in given.infolist():
            content = given.read(part)
            if part.filename == "xl/sharedStrings.xml":
                content = f'<sst xmlns="{namespace}">{texts}</sst>'.encode()
            heavy.writestr(part.filename, content)
    return made.getvalue()


def test_a_workbook_that_takes_more_memory_than_a_table_should_is_refused_in_words():
    data, columns = texts_without_end(300_000), [tabular.Column("holder_ref", tabular.text(64))]
    limits = ProcessLimits(memory_bytes=24 << 20, seconds=60)
    before = Peak(itself=False)._now()
    with (
        Peak(itself=False) as peak,
        tabular.unpack(io.BytesIO(data), columns=columns, limits=limits) as table,
    ):
        ((error,), total) = read(table, columns)
    assert total == 1
    assert error.rule.startswith("takes more memory or time to read than is allowed")
    assert peak.megabytes - before < 24 + 60


def test_a_table_that_was_taken_apart_reads_as_it_would_at_once():
    columns = [
        tabular.Column("ref", tabular.text(64), required=True),
        tabular.Column("day", tabular.date()),
        tabular.Column("score", tabular.decimal(places=2)),
    ]
    rows = (
        'ref;day;score\n"a\n1";2026-03-15;5,5\nb;nothing;1\nc\n;;\n"broken;x\nd;;;;7\n'
        + "e" * 20_000
    )
    files = [rows.encode(), b"", b"nothing\n1\n", b"\xff\xfeA", b"sep=|\nref|day\n", b"x\0y"]
    into = io.BytesIO()
    tabular.write_xlsx(into, ["ref", "day"], [["a", "2026-03-15"], ["=1+1", None]])
    for data in [*files, into.getvalue(), into.getvalue()[:-40]]:
        limits = ProcessLimits(memory_bytes=192 << 20, seconds=20)
        with tabular.unpack(io.BytesIO(data), columns=columns, limits=limits) as table:
            assert read(table, columns) == read(io.BytesIO(data), columns)
            assert read(table, columns) == read(io.BytesIO(data), columns)


def read(table, columns):
    try:
        reader = tabular.read(table, filename="f", columns=columns)
        return list(reader), reader.errors, reader.total_errors, reader.header, reader.notes
    except tabular.BadTable as refusal:
        return refusal.errors, refusal.total


def test_noting_the_use_of_a_token_waits_for_nobody(hr, container, clock):
    clock.advance(seconds=2 * MINUTE)
    with container.work(SYSTEM) as work:
        work.connection.execute(text("update token set name = name"))
        began = time.monotonic()
        assert hr.get("/imports").status_code == 200
        assert time.monotonic() - began < 2
    noted = select(func.count()).where(Token.last_used_at == clock())
    with container.reading(SYSTEM) as reading:
        assert reading.row(noted)[0] == 0
    assert hr.get("/imports").status_code == 200
    with container.reading(SYSTEM) as reading:
        assert reading.row(noted)[0] == 1
