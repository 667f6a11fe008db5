"""tracker reminders preview: every email as files, without a database."""

import email
from email import policy

import pytest

from tracker.mail.messages import phrases
from tracker.mail.notices import TELLS
from tracker.services.employers.digest_contents import SECTIONS


@pytest.fixture
def preview(tracker, tmp_path):
    """Write the messages, with a database that is not there."""

    def run(*options):
        nowhere = {"TRACKER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
        done = tracker("reminders", "preview", tmp_path / "letters", *options, **nowhere)
        assert done.exit_code == 0, done.output
        return tmp_path / "letters"

    return run


@pytest.fixture
def backend():
    """One backend is enough: no database is asked."""
    return "sqlite"


def test_every_stage_and_every_kind_of_news_is_written_in_both_languages(preview):
    folder = preview("--scheme", "cpt")
    names = {path.name for path in (folder / "cpt").iterdir()}

    for language in ("en", "es"):
        for kind in ("eml", "txt", "html"):
            for offset in (730, 365, 180, 90, 60, 30, 14, 7, 1, 0, -1, -30):
                assert f"reminder-{offset}-incomplete.{language}.{kind}" in names
            for offset in (90, 30, 7, 0, -1):
                assert f"reminder-{offset}-complete.{language}.{kind}" in names
            assert f"reminder-0-pending.{language}.{kind}" in names
            for tells in TELLS:
                assert f"notice-{tells.replace('_', '-')}.{language}.{kind}" in names
            assert f"digest.{language}.{kind}" in names
    assert "reminder-60-complete.en.txt" not in names, "the planner writes none"


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_digest_shows_every_section_and_every_kind_of_line(preview, language):
    say = phrases(language, "digest")
    folder = preview()
    text = (folder / "several" / f"several-digest.{language}.txt").read_text("utf-8")

    for section in SECTIONS:
        assert say[f"{section}_title"].format(days=180) in text
    for key, words in say.items():
        if key.startswith("what_") or key == "more":
            assert words in text, key
    data = (folder / "cpt" / f"digest.{language}.eml").read_bytes()
    assert b"List-Unsubscribe" not in data
    assert b"MSSC" in data


def test_the_page_links_to_every_letter(preview):
    folder = preview()
    page = (folder / "index.html").read_text("utf-8")
    written = [path for path in folder.rglob("*.*") if path.name != "index.html"]

    assert {path.parent.name for path in written} == {"cla", "clt", "cpt", "several"}
    for path in written:
        assert f'href="{path.parent.name}/{path.name}"' in page


def test_a_message_is_whole_and_several_certifications_share_one(preview):
    folder = preview()
    data = (folder / "several" / "several-reminders.es.eml").read_bytes()
    message = email.message_from_bytes(data, policy=policy.default)

    assert message["Subject"].endswith("; y 1 certificación más)")
    assert message["List-Unsubscribe"].startswith("<https://")
    assert [part.get_content_type() for part in message.iter_attachments()] == ["text/calendar"]
    revoked = (folder / "cpt" / "notice-revoked.en.eml").read_bytes()
    assert b"List-Unsubscribe" not in revoked


def test_the_same_letters_are_the_same_bytes(preview):
    first = {path: path.read_bytes() for path in preview().rglob("*.eml")}
    assert {path: path.read_bytes() for path in preview().rglob("*.eml")} == first


def test_an_unknown_scheme_is_named(tracker, tmp_path):
    done = tracker("reminders", "preview", tmp_path, "--scheme", "nope")
    assert done.exit_code == 1
    assert "There is no scheme 'nope'" in done.stderr
