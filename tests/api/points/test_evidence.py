"""Evidence: what is accepted, what is kept, who sees it."""

from __future__ import annotations

import io
import os
import struct
import threading
import time
import zipfile
import zlib
from datetime import date

import pikepdf
import pytest
from PIL import Image
from werkzeug.test import create_environ, run_wsgi_app

from tests import factories
from tests.backends import SQLITE
from tracker import files
from tracker.api.points.evidence import EvidenceSchema
from tracker.domain.errors import UnacceptableEvidence
from tracker.domain.permissions import SYSTEM
from tracker.files import Checked, pdfs, pictures
from tracker.services.points import activity_rows, evidence

RULE = "must be a PDF, JPG or PNG"
COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Lean course",
    "quantity": "20.00",
    "completed_on": "2026-01-05",
}


def picture(kind="PNG", size=(40, 30), mode="RGB", **options):
    into = io.BytesIO()
    Image.new(mode, size, 128).save(into, kind, **options)
    return into.getvalue()


def pdf(change=None, **options):
    into = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        if change:
            change(document)
        document.save(into, **options)
    return into.getvalue()


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2024, 3, 1))


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


@pytest.fixture
def activity(ana, ids):
    return ana.post(f"/certifications/{ids[1]}/activities", COURSE).json["id"]


@pytest.fixture
def stored(tmp_path):
    return lambda: sorted(path.name for path in (tmp_path / "storage" / "evidence").glob("*"))


def send(who, activity_id, data, name="scan.png", **options):
    """Upload a file; the form is written by hand, so that a name is sent as it is."""
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    body = b"--x\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n--x--\r\n"
    kind = "multipart/form-data; boundary=x"
    path = f"/activities/{activity_id}/evidence"
    return who.call("POST", path, data=body, content_type=kind, **options)


def download(who, answer):
    return who.get(f"/evidence/{answer.json['id']}/content")


def version(who, activity_id):
    return who.get(f"/activities/{activity_id}").headers["ETag"]


def test_a_file_is_kept_listed_shown_and_given_back(ana, staff, activity, stored):
    made = send(ana, activity, pdf(), "transcript.pdf")
    assert made.status_code == 201
    EvidenceSchema().load(made.json)
    assert made.headers["Location"] == f"/api/v1/evidence/{made.json['id']}"
    assert (made.json["slot"], made.json["content_type"]) == (1, "application/pdf")
    for who in (ana, staff):
        assert who.get(f"/activities/{activity}/evidence").json == [made.json]
        assert who.get(f"/evidence/{made.json['id']}").json == made.json
    assert len(stored()) == 1


@SQLITE
def test_a_pdf_is_given_back_byte_for_byte_so_that_its_signature_holds(ana, activity):
    data = pdf()
    content = download(ana, send(ana, activity, data, "transcript.pdf"))
    assert content.data == data
    assert content.content_type == "application/pdf"


@SQLITE
def test_the_download_is_an_attachment_that_no_browser_runs(ana, activity):
    content = download(ana, send(ana, activity, picture()))
    assert content.headers["Content-Disposition"].startswith('attachment; filename="scan.png"')
    assert (
        content.headers["Content-Security-Policy"]
        == "sandbox; default-src 'none'; frame-ancestors 'none'"
    )
    assert content.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in content.headers["Cache-Control"]


@SQLITE
def test_an_unchanged_download_is_not_sent_again(ana, activity):
    made = send(ana, activity, picture())
    path = f"/evidence/{made.json['id']}/content"
    etag = ana.get(path).headers["ETag"]
    assert ana.get(path, headers={"If-None-Match": etag}).status_code == 304


@SQLITE
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_where_and_how_a_picture_was_taken_is_gone(ana, activity, kind):
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (40.0, 26.0, 46.0)
    data = picture(kind, exif=exif, dpi=(300, 300))
    assert b"SecretCamera" in data
    content = download(ana, send(ana, activity, data, "photo.jpg")).data
    assert b"SecretCamera" not in content
    assert b"Exif" not in content
    assert b"eXIf" not in content
    with Image.open(io.BytesIO(content)) as kept:
        assert (kept.format, dict(kept.getexif())) == (kind, {})


def test_a_picture_taken_sideways_is_kept_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    kept = files.checked(picture("JPEG", exif=exif), maximum_pixels=10_000)
    with Image.open(io.BytesIO(kept)) as upright:
        assert upright.size == (30, 40)


def test_what_is_written_behind_or_inside_a_picture_is_gone():
    data = picture("JPEG", comment=b"call me") + b"\nmore of it"
    kept = files.checked(data, maximum_pixels=10_000)
    assert b"call me" not in kept
    assert b"more of it" not in kept


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pictures_of_every_kind_are_redrawn(mode):
    kept = files.checked(picture(mode=mode), maximum_pixels=10_000)
    with Image.open(io.BytesIO(kept)) as redrawn:
        assert redrawn.size == (40, 30)


def gif():
    return b"GIF89a/*\x01\x00\x01\x00*/=1;alert(1)" + b"\x00" * 100


def zipped(before):
    into = io.BytesIO(before)
    with zipfile.ZipFile(into, "a") as archive:
        archive.writestr("x.js", "alert(1)")
    return into.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.pdf", b"<!DOCTYPE html><script>alert(1)</script>"),
        ("drawing.png", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        ("photo.jpg", gif()),
        ("photo.jpg", picture("GIF", mode="P")),
        ("photo.webp", picture("WEBP")),
        ("empty.pdf", b""),
        ("words.png", b"just words"),
        ("both.pdf", pdf() + b"<html><script>alert(1)</script>"),
        ("both.pdf", b"%PDF-1.4 <html><script>alert(1)</script>\n%%EOF"),
        ("late.pdf", b"\n\n" + pdf()),
        ("archive.pdf", zipped(pdf())),
        ("archive.jpg", zipped(picture("JPEG"))),
        ("both.jpg", b"\xff\xd8\xff\xfe\x00\x20%PDF-1.4 stream" + picture("JPEG")[2:]),
        ("cut.png", picture(size=(400, 300))[:90]),
        ("cut.jpg", picture("JPEG", size=(400, 300))[:-400]),
        ("cut.pdf", pdf()[:200] + b"%%EOF"),
        ("head.png", b"\x89PNG\r\n\x1a\n"),
        ("head.pdf", b"%PDF-1.7\n%%EOF"),
    ],
)
def test_whatever_else_it_is_called_only_a_pdf_jpg_or_png_is_taken(name, data):
    with pytest.raises(UnacceptableEvidence) as refused:
        files.checked(data, maximum_pixels=10_000_000)
    assert refused.value.fields["file"].startswith(RULE), name


@SQLITE
def test_the_answer_names_the_rule(ana, activity, stored):
    refused = send(ana, activity, b"<html></html>", "page.pdf")
    assert (refused.status_code, refused.json["code"]) == (422, "unacceptable_evidence")
    assert refused.json["errors"] == [{"field": "file", "message": RULE}]
    assert stored() == []


def script(document):
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")


def script_names(document):
    action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    names = pikepdf.Dictionary(Names=pikepdf.Array(["x", document.make_indirect(action)]))
    document.Root.Names = pikepdf.Dictionary(JavaScript=names)


def script_unused(document):
    document.Root.Old = document.make_indirect(
        pikepdf.Dictionary(Any=pikepdf.Array([pikepdf.Dictionary(S=pikepdf.Name.JavaScript)]))
    )


def launch(document):
    document.pages[0].Annots = pikepdf.Array(
        [
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Link,
                A=pikepdf.Dictionary(S=pikepdf.Name.Launch, F="calc.exe"),
            )
        ]
    )


def opening(document):
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.URI, URI="https://evil.example")


def automatic(document):
    uri = pikepdf.Dictionary(S=pikepdf.Name.URI, URI="https://evil.example")
    document.pages[0].AA = pikepdf.Dictionary(O=uri)


def attachment(document):
    document.attachments["x.exe"] = b"MZ"


def annotated(**entries):
    def change(document):
        annotation = pikepdf.Dictionary(Type=pikepdf.Name.Annot, **entries)
        document.pages[0].Annots = pikepdf.Array([document.make_indirect(annotation)])

    return change


def kept_stream(**entries):
    def change(document):
        document.Root.Kept = pikepdf.Stream(document, b"x", pikepdf.Dictionary(**entries))

    return change


def scene_script(document):
    scene = pikepdf.Stream(document, b"", pikepdf.Dictionary(Type=pikepdf.Name("/3D")))
    script = pikepdf.Stream(document, b"host.getURL('https://evil.example')")
    scene.OnInstantiate = script
    annotation = pikepdf.Dictionary({"/Subtype": pikepdf.Name("/3D"), "/3DD": scene})
    document.pages[0].Annots = pikepdf.Array([document.make_indirect(annotation)])


def page_of_another_file(document):
    reference = pikepdf.Dictionary(F="other.pdf", Page=0)
    form = {"/Subtype": pikepdf.Name.Form, "/Ref": reference}
    document.Root.Kept = pikepdf.Stream(document, b"", pikepdf.Dictionary(form))


def thread_of_another_file(document):
    action = pikepdf.Dictionary(S=pikepdf.Name.Thread, F="other.pdf", D=0)
    document.Root.Kept = document.make_indirect(action)


SCENES = "must not contain 3D scenes and their scripts"
ELSEWHERE = "must not contain references to other files"


@pytest.mark.parametrize(
    ("change", "options", "rule"),
    [
        (scene_script, {}, SCENES),
        (annotated(Subtype=pikepdf.Name("/3D")), {}, SCENES),
        (kept_stream(Type=pikepdf.Name("/3D"), Subtype=pikepdf.Name.U3D), {}, SCENES),
        (kept_stream(Subtype=pikepdf.Name.PRC), {}, SCENES),
        (kept_stream(OnInstantiate="x"), {}, SCENES),
        (annotated(A=pikepdf.Dictionary(S=pikepdf.Name.GoTo3DView)), {}, SCENES),
        (kept_stream(F="data.bin"), {}, ELSEWHERE),
        (kept_stream(F=pikepdf.Dictionary(FS=pikepdf.Name.URL, F="http://evil")), {}, ELSEWHERE),
        (annotated(FS=pikepdf.Dictionary(FS=pikepdf.Name.URL, F="http://evil")), {}, ELSEWHERE),
        (kept_stream(OPI=pikepdf.Dictionary()), {}, ELSEWHERE),
        (page_of_another_file, {}, ELSEWHERE),
        (thread_of_another_file, {}, ELSEWHERE),
        (script, {}, "must not contain JavaScript"),
        (script_names, {}, "must not contain JavaScript"),
        (script_unused, {}, "must not contain JavaScript"),
        (
            script_names,
            {"object_stream_mode": pikepdf.ObjectStreamMode.generate},
            "must not contain JavaScript",
        ),
        (launch, {}, "must not contain actions that start programs"),
        (opening, {}, "must not contain an action on opening"),
        (automatic, {}, "must not contain automatic actions"),
        (attachment, {}, "must not contain attachments"),
        (
            None,
            {"encryption": pikepdf.Encryption(owner="o", user="secret")},
            "must not need a password",
        ),
    ],
)
def test_a_pdf_that_acts_or_hides_is_refused_for_what_it_does(change, options, rule):
    """How it is told over HTTP, of one of them: test_the_answer_names_the_rule."""
    with pytest.raises(UnacceptableEvidence) as refused:
        files.checked(pdf(change, **options), maximum_pixels=1)
    assert refused.value.fields == {"file": rule}


def test_a_pdf_that_opens_at_a_page_links_to_a_site_or_may_not_be_printed_is_fine():
    def harmless(document):
        document.Root.OpenAction = pikepdf.Array([document.pages[0].obj, pikepdf.Name.Fit])
        uri = pikepdf.Dictionary(S=pikepdf.Name.URI, URI="https://example.org")
        link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, A=uri)
        document.pages[0].Annots = pikepdf.Array([link])

    no_printing = pikepdf.Permissions(print_lowres=False, print_highres=False)
    locked = pikepdf.Encryption(owner="o", user="", allow=no_printing)
    for options in ({}, {"encryption": locked}):
        data = pdf(harmless, **options)
        assert files.checked(data, maximum_pixels=1) == data


def test_a_pdf_of_very_many_parts_takes_no_time():
    def crowded(document):
        empty = [pikepdf.Dictionary() for _ in range(20_000)]
        document.Root.L = pikepdf.Array(empty)
        many = [document.make_indirect(pikepdf.Dictionary(A=1)) for _ in range(20_000)]
        document.Root.M = pikepdf.Array(many)

    data = pdf(crowded, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    begun = time.process_time()
    assert files.checked(data, maximum_pixels=1) == data
    assert time.process_time() - begun < 2


def test_a_suspicious_pdf_of_very_many_parts_is_refused(monkeypatch):
    def crowded(document):
        document.Root.L = pikepdf.Array([pikepdf.Dictionary() for _ in range(200)])
        document.Root.Name = pikepdf.Name.Sound

    data = pdf(crowded)
    assert files.checked(data, maximum_pixels=1) == data
    monkeypatch.setattr(pdfs, "_MOST_PARTS", 100)
    with pytest.raises(UnacceptableEvidence, match="more parts than can be checked"):
        files.checked(data, maximum_pixels=1)


def test_a_name_that_is_disguised_is_recognised():
    data = pdf(script_names).replace(b"/JavaScript", b"/J#61vaScript")
    assert b"/JavaScript" not in data
    with pytest.raises(UnacceptableEvidence, match="JavaScript"):
        files.checked(data, maximum_pixels=1)


@SQLITE
def test_a_file_over_the_limit_is_413(ana, activity, stored):
    refused = send(ana, activity, b"\xff\xd8\xff" + b"x" * 11 * 1024 * 1024, "huge.jpg")
    assert (refused.status_code, refused.json["code"]) == (413, "evidence_too_large")
    assert refused.json["maximum"] == 10 * 1024 * 1024
    just_over = send(ana, activity, b"x" * (10 * 1024 * 1024 + 1), "huge.jpg")
    assert (just_over.status_code, just_over.json["code"]) == (413, "evidence_too_large")
    assert stored() == []


@SQLITE
def test_the_bytes_of_a_request_over_the_limit_are_never_read(app, ana, activity):
    class Untouched:
        def read(self, *_):
            raise AssertionError("the body was read")

        readline = read

    path = f"/api/v1/activities/{activity}/evidence"
    environ = create_environ(
        path,
        method="POST",
        headers={"Authorization": f"Bearer {ana.secret}"},
        content_type="multipart/form-data; boundary=x",
    )
    environ |= {"wsgi.input": Untouched(), "CONTENT_LENGTH": "99999999"}
    body, status, _headers = run_wsgi_app(app, environ)
    assert status.startswith("413")
    assert b'"evidence_too_large"' in b"".join(body)


@SQLITE
def test_ten_megabytes_exactly_are_not_too_large(ana, activity):
    refused = send(ana, activity, b"x" * 10 * 1024 * 1024, "words.jpg")
    assert refused.status_code == 422


def bomb(width, height):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\x00" * (height * (width // 8 + 1)), 9)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@SQLITE
@pytest.mark.parametrize("side", [9_000, 11_000, 40_000])
def test_a_small_file_with_a_huge_picture_is_refused_before_it_is_drawn(
    ana, activity, monkeypatch, side
):
    data = (
        bomb(side, side)
        if side < 10_000
        else bomb(8, 8).replace(struct.pack(">II", 8, 8), struct.pack(">II", side, side))
    )
    assert len(data) < 20_000

    def drawn(*_args):
        raise AssertionError("it was decoded")

    monkeypatch.setattr(pictures, "_drawn", drawn)
    with pytest.raises(UnacceptableEvidence):
        files.checked(data, maximum_pixels=50_000_000)
    started = time.monotonic()
    refused = send(ana, activity, data)
    assert refused.status_code == 422
    if side == 9_000:
        rule = "must have at most 50,000,000 pixels"
        assert refused.json["errors"] == [{"field": "file", "message": rule}]
    assert time.monotonic() - started < 5


def test_the_sixth_file_is_refused_and_a_freed_place_is_taken_again(ana, activity, stored):
    made = [send(ana, activity, picture()) for _ in range(5)]
    assert [one.json["slot"] for one in made] == [1, 2, 3, 4, 5]
    refused = send(ana, activity, picture())
    assert refused.status_code == 422
    rule = "is one too many: an activity may have at most 5 files"
    assert refused.json["errors"] == [{"field": "file", "message": rule}]
    assert len(stored()) == 5
    assert ana.delete(f"/evidence/{made[1].json['id']}").status_code == 204
    assert len(stored()) == 4
    assert send(ana, activity, picture()).json["slot"] == 2


def test_ten_files_at_once_are_five(ana, activity, stored):
    found = []

    def send_until_it_is_taken_or_refused():
        while (answer := send(ana, activity, picture())).status_code == 503:
            assert answer.json["code"] == "too_busy"
            time.sleep(int(answer.headers["Retry-After"]) / 10)
        found.append(answer.status_code)

    workers = [threading.Thread(target=send_until_it_is_taken_or_refused) for _ in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(found) == [201] * 5 + [422] * 5
    assert len(stored()) == 5


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../x.pdf", "x.pdf"),
        ("..\\..\\boot.ini", "boot.ini.pdf"),
        ("a\r\nSet-Cookie: b.pdf", "aSet-Cookie_ b.pdf"),
        ("photo\u202efdp.exe", "photofdp.exe.pdf"),
        ("r\u0000e\u200bd.PDF", "red.PDF"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("   .pdf", "evidence.pdf"),
        ("...", "evidence.pdf"),
        ("Certificado de Peña.pdf", "Certificado de Peña.pdf"),
        ('say "hi" <b>.pdf', "say _hi_ _b_.pdf"),
        ("page.html", "page.html.pdf"),
    ],
)
def test_a_name_is_made_safe(given, kept):
    assert files.safe_name(given, "application/pdf") == kept
    assert len(kept) <= 200


@SQLITE
@pytest.mark.parametrize("name", ["../../x.png", "a%0D%0ASet-Cookie: b.png", "Peña \u202e'1'.png"])
def test_a_name_cannot_leave_its_header_or_choose_where_it_is_stored(ana, activity, stored, name):
    made = send(ana, activity, picture(), name)
    assert made.status_code == 201
    content = download(ana, made)
    assert "Set-Cookie" not in content.headers
    header = content.headers["Content-Disposition"]
    assert header.isascii()
    assert header.count('"') == 2
    (key,) = stored()
    assert len(key) == 64
    assert key not in made.text


@SQLITE
def test_evidence_changes_only_while_the_activity_is_with_its_holder(ana, staff, activity, clock):
    made = send(ana, activity, picture())
    assert made.json["came_later"] is False
    ana.post(f"/activities/{activity}/submission")
    assert ana.delete(f"/evidence/{made.json['id']}").status_code == 409
    ask = {"verdict": "more_information", "reason_code": "illegible_evidence", "reason": "Dark."}
    answered = staff.post(f"/activities/{activity}/decision", ask, version=version(staff, activity))
    assert answered.status_code == 200
    assert send(ana, activity, picture()).status_code == 201
    assert ana.delete(f"/evidence/{made.json['id']}").status_code == 204
    clock.advance(minutes=1)
    ana.post(f"/activities/{activity}/submission")
    approve = {"verdict": "approved"}
    approved = staff.post(
        f"/activities/{activity}/decision", approve, version=version(staff, activity)
    )
    assert approved.status_code == 200
    refused = send(ana, activity, picture())
    assert (refused.status_code, refused.json["code"]) == (409, "illegal_transition")


def test_evidence_added_while_the_activity_waits_is_marked_as_having_come_later(
    ana, activity, clock
):
    first = send(ana, activity, picture())
    ana.post(f"/activities/{activity}/submission")
    clock.set("2026-11-22")
    later = send(ana, activity, picture())
    assert (later.status_code, later.json["came_later"]) == (201, True)
    files = ana.get(f"/activities/{activity}/evidence").json
    assert [(one["id"], one["came_later"]) for one in files] == [
        (first.json["id"], False),
        (later.json["id"], True),
    ]


@SQLITE
def test_somebody_elses_evidence_is_as_unknown_as_none(caller, container, ana, activity):
    other = caller("holder", holder_id=factories.certified(container, date(2024, 3, 1))[0])
    made = send(ana, activity, picture())
    unknown = "0192d3a0-0000-7000-8000-000000000000"
    for path in ("/activities/{}/evidence", "/evidence/{}", "/evidence/{}/content"):
        mine = activity if "activities" in path else made.json["id"]
        foreign, none = other.get(path.format(mine)), other.get(path.format(unknown))
        assert foreign.status_code == none.status_code == 404
        assert same(foreign) == same(none)
    assert same(send(other, activity, picture())) == same(send(other, unknown, picture()))
    assert same(other.delete(f"/evidence/{made.json['id']}")) == same(
        other.delete(f"/evidence/{unknown}")
    )
    assert ana.get(f"/evidence/{made.json['id']}").status_code == 200


def same(answer):
    assert answer.status_code == 404
    return {key: value for key, value in answer.json.items() if key != "request_id"}


@SQLITE
def test_employers_and_strangers_see_no_evidence(caller, container, anonymous, ana, activity):
    made = send(ana, activity, picture())
    path = f"/evidence/{made.json['id']}/content"
    assert anonymous.get(path).status_code == 401
    assert send(anonymous, activity, picture()).status_code == 401
    employer = caller("employer", employer_id=factories_employer(container))
    assert employer.get(path).status_code == 403


def factories_employer(container):
    from tracker.models import Employer  # noqa: PLC0415 - for those alone who need it

    with container.work(SYSTEM) as work:
        row = Employer(name="Acme", recorded_at=work.now)
        work.session.add(row)
        work.session.flush()
        return row.id


def test_a_discarded_draft_takes_its_files_along(ana, activity, stored):
    send(ana, activity, picture())
    send(ana, activity, picture())
    assert len(stored()) == 2
    gone = ana.delete(f"/activities/{activity}", version=version(ana, activity))
    assert gone.status_code == 204
    assert stored() == []


def test_a_file_whose_row_was_rolled_back_is_removed(container, activity, stored):
    def broken():
        with container.work(SYSTEM) as work:
            evidence.add(work, activity, Checked(picture(), "image/png", "x.png"))
            assert len(stored()) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert stored() == []


def test_a_removed_row_that_was_rolled_back_keeps_its_file(container, ana, activity, stored):
    made = send(ana, activity, picture())

    def broken():
        with container.work(SYSTEM) as work:
            evidence.remove(work, made.json["id"])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert len(stored()) == 1
    assert download(ana, made).status_code == 200


def test_the_sweep_removes_old_files_without_a_row_and_no_others(container, ana, activity, stored):
    send(ana, activity, picture())
    folder = evidence.store(container.settings).folder
    (folder / "orphan").write_bytes(b"x")
    (folder / ".half.part").write_bytes(b"x")
    with container.reading(SYSTEM) as reading:
        written = reading.now.timestamp()
        for path in folder.iterdir():
            os.utime(path, (written, written))
        assert evidence.sweep(reading) == 0
        for path in folder.iterdir():
            os.utime(path, (written - 90_000, written - 90_000))
        assert evidence.sweep(reading) == 2
    assert len(stored()) == 1


def test_the_same_request_again_stores_one_file(ana, activity, stored):
    first = send(ana, activity, picture(), key="k1")
    again = send(ana, activity, picture(), key="k1")
    assert first.json == again.json
    assert len(stored()) == 1
    other = send(ana, activity, picture(size=(50, 50)), key="k1")
    assert other.status_code == 422
    renamed = send(ana, activity, picture(), "other.png", key="k1")
    assert renamed.status_code == 422


@SQLITE
def test_a_form_must_hold_one_file_and_nothing_else(ana, activity):
    path = f"/activities/{activity}/evidence"
    assert ana.post(path, {"file": "x"}).status_code == 415
    assert ana.call("POST", path, data={"file": "words"}, content_type="multipart/form-data").json[
        "errors"
    ] == [{"field": "file", "message": "must be a file with a file name"}]
    assert ana.call("POST", path, content_type="multipart/form-data", data={}).status_code in {
        400,
        422,
    }
    two = {"file": [(io.BytesIO(picture()), "a.png"), (io.BytesIO(picture()), "b.png")]}
    assert ana.call("POST", path, data=two).status_code == 422
    more = {"file": (io.BytesIO(picture()), "a.png"), "slot": "3"}
    assert ana.call("POST", path, data=more).json["errors"][0]["field"] == "slot"


def test_adding_and_removing_leaves_a_line_of_history(container, ana, activity):
    from tracker.models import HistoryEntry  # noqa: PLC0415 - for those alone who need it

    made = send(ana, activity, picture())
    ana.delete(f"/evidence/{made.json['id']}")
    with container.work(SYSTEM) as work:
        rows = work.session.query(HistoryEntry).filter_by(subject="evidence").all()
        assert [row.action for row in rows] == ["add", "remove"]


@SQLITE
def test_staff_may_count_the_files(container, ana, activity):
    send(ana, activity, picture())
    with container.reading(SYSTEM) as reading:
        assert activity_rows.count_evidence(reading, activity) == 1
