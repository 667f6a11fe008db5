"""domain/history_chain.py: what is signed, and in which form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain import history_chain
from tracker.domain.history_chain import Block, ChainedEntry, Head, KeyRing, Unchained

KEY = b"k" * 32
KEYS = KeyRing("now", {"now": KEY, "before": b"b" * 32})
HEAD = Head("chain", 0, "chain", 0)
FACTS = {"id": 7, "actor": "clerk", "detail": {"b": 1, "a": [None, "é"]}, "token_id": None}
ENTRIES = st.lists(
    st.builds(
        ChainedEntry,
        st.integers(1, 2**62),
        st.text("0123456789abcdef", min_size=32, max_size=32),
        st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=2),
    ),
    max_size=9,
)


def test_keys_are_read_with_the_current_one_first():
    keys = history_chain.key_ring(f"b:{'CD' * 32}, a:{'ab' * 40}")

    assert (keys.current, keys.key) == ("b", b"\xcd" * 32)
    assert keys.keys["a"] == b"\xab" * 40
    assert "cd" * 4 not in repr(keys).lower()
    assert r"\xcd" not in repr(keys)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "ID:HEX"),
        ("a", "ID:HEX"),
        (f"a:{'ab' * 32},", "ID:HEX"),
        (f"a b:{'ab' * 32}", "ID:HEX"),
        (f"a:{'abc' * 23}", "ID:HEX"),
        (f"{'a' * 17}:{'ab' * 32}", "ID:HEX"),
        (f"a:{'ab' * 31}", "at least 32 bytes"),
        (f"a:{'ab' * 32},a:{'ab' * 32}", "twice"),
    ],
)
def test_keys_that_cannot_be_read_are_refused_without_being_quoted(text, rule):
    with pytest.raises(ValueError, match=rule) as refused:
        history_chain.key_ring(text)
    assert "abab" not in str(refused.value)


def test_a_digest_is_of_the_content_and_not_of_its_order_and_of_known_columns_only():
    digest = history_chain.entry_digest(KEY, FACTS, {})
    turned = {**dict(reversed(FACTS.items())), "detail": {"a": [None, "é"], "b": 1}}

    assert len(digest) == 32
    assert history_chain.entry_digest(KEY, turned, {}) == digest
    assert history_chain.entry_digest(KEY, {**FACTS, "column_of_tomorrow": None}, {}) == digest


@pytest.mark.parametrize("name", ["id", "actor", "detail", "token_id"])
def test_every_column_counts(name):
    digest = history_chain.entry_digest(KEY, FACTS, {})
    assert history_chain.entry_digest(KEY, {**FACTS, name: "other"}, {}) != digest


def test_a_digest_needs_the_key_and_gives_no_equal_values_away():
    digest = history_chain.value_digest(KEY, 1, "email", (None, "a@example.org"))

    others = [
        history_chain.value_digest(b"x" * 32, 1, "email", (None, "a@example.org")),
        history_chain.value_digest(KEY, 2, "email", (None, "a@example.org")),
        history_chain.value_digest(KEY, 1, "second_email", (None, "a@example.org")),
        history_chain.value_digest(KEY, 1, "email", ("a@example.org", None)),
        history_chain.entry_digest(KEY, FACTS, {"email": digest}),
    ]
    assert len({digest, *others}) == 6


@given(entries=ENTRIES)
def test_entries_are_read_as_they_were_written(entries):
    assert history_chain.read(history_chain.written(entries)) == entries


@pytest.mark.parametrize("text", ["", "{", "1", "[1]", "[[1]]", '[[1,"a",{},2]]'])
def test_a_text_that_is_no_list_of_entries_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - whatever json says
        history_chain.read(text)


def waiting(entries):
    made = Unchained()
    made.add(entries)
    return made


def entries_of(texts):
    return [entry for text in texts for entry in history_chain.read(text)]


@given(entries=ENTRIES)
def test_many_entries_are_several_blocks_each_after_the_one_before(entries):
    many = [ChainedEntry(n, "d", {}) for n in range(history_chain.MOST_IN_BLOCK)] + entries
    made = history_chain.blocks(KEYS, HEAD, waiting(many).texts())

    assert len(made) == 1 + bool(entries)
    assert entries_of(block.entries for block in made) == many
    assert [block.sequence for block in made] == [*range(1, len(made) + 1)]
    previous = "chain"
    for block in made:
        assert block.mac == history_chain.block_mac(KEY, previous, block)
        previous = block.mac


def test_nothing_to_chain_is_no_block():
    assert history_chain.blocks(KEYS, HEAD, waiting([]).texts()) == []


@pytest.mark.parametrize("kept", [0, 1, 499, 500, 501, 1000, 1001, 1200])
def test_entries_are_forgotten_from_the_end_across_blocks(kept):
    entries = [ChainedEntry(n + 1, "d", {}) for n in range(1200)]
    made = waiting(entries)
    made.forget(kept)

    assert (len(made), entries_of(made.texts())) == (kept, entries[:kept])
    assert len(history_chain.blocks(KEYS, HEAD, made.texts())) == -(-kept // 500)


@given(data=st.data(), numbers=st.lists(st.integers(0, 3), max_size=12))
def test_entries_that_are_forgotten_are_as_if_never_added(data, numbers):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_chain, "MOST_IN_BLOCK", 3)
        made, model = Unchained(), list[ChainedEntry]()
        for number in numbers:
            some = [ChainedEntry(len(model) + n + 1, "d", {}) for n in range(number)]
            made.add(some)
            model += some
            if data.draw(st.booleans()):
                kept = data.draw(st.integers(0, len(model)))
                made.forget(kept)
                del model[kept:]
            assert (len(made), entries_of(made.texts())) == (len(model), model)


@pytest.mark.parametrize(
    "other", [Block(2, "now", "[]", ""), Block(1, "x", "[]", ""), Block(1, "now", "[[]]", "")]
)
def test_a_blocks_mac_is_of_its_number_its_key_and_its_entries(other):
    block = Block(1, "now", "[]", "")

    assert history_chain.block_mac(KEY, "p", other) != history_chain.block_mac(KEY, "p", block)
    assert history_chain.block_mac(KEY, "q", block) != history_chain.block_mac(KEY, "p", block)


def test_a_signature_is_no_mac_of_anything_else():
    facts = {"sequence": 1}
    assert history_chain.signature(KEY, facts) != history_chain.signature(b"x" * 32, facts)
    assert history_chain.signature(KEY, facts)[:32] != history_chain.entry_digest(KEY, facts, {})
