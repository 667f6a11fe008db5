"""mail/following: a log that grows, is rotated and cut is read once, whole lines only."""

from __future__ import annotations

import pytest

from tracker.mail.following import Followed


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mail.log"


@pytest.fixture
def followed(path):
    made = []

    def begin():
        made.append(Followed(path))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def new(one):
    return [line for piece in one.pieces() for line in piece]


def test_what_is_added_is_read_once_and_a_half_line_when_it_is_whole(path, followed):
    one = followed()
    assert new(one) == [], "it is not there yet"
    path.write_text("a\nb\nha")
    assert new(one) == ["a\n", "b\n"]
    assert new(one) == []
    with path.open("a") as file:
        file.write("lf\n")
    assert new(one) == ["half\n"]


def test_the_rest_of_a_file_that_was_put_aside_comes_before_the_new_one(path, followed):
    one = followed()
    path.write_text("a\n")
    assert new(one) == ["a\n"]
    with path.open("a") as file:
        file.write("b\n")
    path.rename(path.with_name("mail.log.1"))
    assert new(one) == ["b\n"]
    path.write_text("c\n")
    assert new(one) == ["c\n"]


def test_a_file_that_is_cut_is_read_from_its_beginning(path, followed):
    one = followed()
    path.write_text("a\nb\n")
    new(one)
    path.write_text("c\n")
    assert new(one) == ["c\n"]


def test_the_file_put_aside_last_is_read_first(path, followed):
    path.with_name("mail.log.1").write_text("a\n")
    path.write_text("b\n")
    assert new(followed()) == ["a\n", "b\n"]


def test_many_lines_come_in_pieces(path, followed):
    path.write_text("x\n" * 12_000)
    assert [len(piece) for piece in followed().pieces()] == [5_000, 5_000, 2_000]


def test_a_renamed_file_is_read_until_there_is_a_line_in_the_new_one(path, followed):
    one = followed()
    path.write_text("a\n")
    assert new(one) == ["a\n"]
    aside = path.with_name("mail.log.1")
    path.rename(aside)
    path.touch()
    assert new(one) == []
    with aside.open("a") as file:
        file.write("b\n")
    assert new(one) == ["b\n"]
    with aside.open("a") as file:
        file.write("c\n")
    path.write_text("d\n")
    assert new(one) == ["c\n", "d\n"]


def test_what_a_file_held_last_before_it_was_cut_is_read_from_its_copy(path, followed):
    one = followed()
    path.write_text("a\nb")
    assert new(one) == ["a\n"]
    path.with_name("mail.log.1").write_text("a\nb!\nc\n")
    path.write_text("d\n")
    assert new(one) == ["b!\n", "c\n", "d\n"]
