"""Bodies of control events: strict about what they hold, and nothing that comes makes reading them fail in another way."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xirtam_core import emoji
from xirtam_core.chat import LONGEST_TEXT
from xirtam_core.codec.primitives import Hash
from xirtam_core.errors import Malformed
from xirtam_core.protocol.control import (
    Body,
    Edit,
    Hello,
    ReactionBody,
    Receipt,
    Reply,
    TypingNotice,
    Withdrawal,
    quote_of,
)

BODIES: tuple[type[Body], ...] = (Hello, Edit, Withdrawal, ReactionBody, Receipt, Reply, TypingNotice)
TARGET = Hash(bytes(range(32)))
ONE_EMOJI = (
    "👍",
    "👍🏽",
    "❤️",
    "❤",
    "🇸🇪",
    "👩\u200d🚀",
    "🏳️\u200d🌈",
    "👨🏻\u200d👩🏽\u200d👧🏿\u200d👦",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "1️⃣",
    "#⃣",
    "☕",
    "©️",
    "🫠",
)
NOT_ONE_EMOJI = (
    "",
    " ",
    "a",
    "1",
    "👍👍",
    "👍 ",
    "👍x",
    "\u200d",
    "\ufe0f",
    "🇸",
    "🇸🇪🇸",
    "👍\u200d",
    "e\u0301",
    "\x1b[2J",
    "👍" + "\u200d👍" * 20,
)

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just(TARGET.hex()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
_names = st.sampled_from(["target", "text", "quote", "emoji", "remove", "delivered", "read", "active", "features"])
_objects = st.dictionaries(_names, _json).map(lambda value: json.dumps(value).encode())


@given(st.sampled_from(BODIES), st.one_of(st.binary(), _objects, _json.map(lambda value: json.dumps(value).encode())))
def test_whatever_comes_is_a_body_or_malformed(kind: type[Body], raw: bytes) -> None:
    try:
        body = kind.parse(raw)
    except Malformed:
        return
    assert kind.parse(body.render()) == body


@pytest.mark.parametrize(
    "raw", [b'{"target":"%s","text":"\\ud800"}', b'{"target":"%s","text":"\xff"}', b'{"target":"%s","text":7}']
)
def test_a_text_that_is_no_unicode_is_malformed(raw: bytes) -> None:
    for kind in (Edit, Reply):
        with pytest.raises(Malformed):
            kind.parse(raw % TARGET.hex().encode())


def test_unknown_fields_are_passed_over() -> None:
    raw = b'{"target":"%s","emoji":"\xf0\x9f\x91\x8d","colour":[1,{}]}' % TARGET.hex().encode()
    assert ReactionBody.parse(raw) == ReactionBody(TARGET, "👍")


def test_an_edit_has_a_text_that_a_message_may_have() -> None:
    assert Edit.parse(Edit(TARGET, "x" * LONGEST_TEXT).render()).text
    for text in ("", " \n", "x" * (LONGEST_TEXT + 1)):
        raw = json.dumps({"target": TARGET.hex(), "text": text}).encode()
        with pytest.raises(Malformed):
            Edit.parse(raw)


@pytest.mark.parametrize("text", ONE_EMOJI)
def test_one_emoji_may_be_a_reaction(text: str) -> None:
    assert emoji.is_one(text)
    assert ReactionBody.parse(ReactionBody(TARGET, text).render()).emoji == text


@pytest.mark.parametrize("text", NOT_ONE_EMOJI)
def test_anything_else_may_not(text: str) -> None:
    assert not emoji.is_one(text)
    with pytest.raises(Malformed):
        ReactionBody.parse(json.dumps({"target": TARGET.hex(), "emoji": text}).encode())


@given(st.text())
def test_no_reaction_is_longer_than_its_bound(text: str) -> None:
    assert not emoji.is_one(text) or len(text.encode()) <= emoji.LONGEST


def test_what_a_hello_names_is_kept_only_as_far_as_it_is_sensible() -> None:
    hello = Hello.parse(Hello(("edit", "x" * 1000, *(f"feature{number}" for number in range(1000)))).render())
    assert hello.known()[0] == "edit"
    assert len(hello.known()) < 100
    assert all(len(name) < 100 for name in hello.known())


@given(st.text())
def test_a_quote_is_one_short_line(text: str) -> None:
    quote = quote_of(text)
    assert "\n" not in quote
    assert len(quote) <= 200
    assert text.strip().startswith(quote.removesuffix("…"))
