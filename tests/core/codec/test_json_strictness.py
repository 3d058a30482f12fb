"""JSON that must be refused, and JSON that must not (spec: encoding.md, JSON)."""

from typing import Any

import pytest

from xirtam_core.codec import jsontext, jsonwire
from xirtam_core.codec.integers import U8, U32, U64
from xirtam_core.codec.primitives import Base64Bytes, Hash, IntegerBytes
from xirtam_core.errors import Malformed
from xirtam_core.protocol.blob import Blob
from xirtam_core.rpc import envelope


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "{",
            "[1,]",
            "{'a':1}",
            "nul",
            "01",
            "1.",
            ".5",
            "+1",
            "0x1",
            "1 2",
            '"\t"',
            '"\x00"',
            '"\\x41"',
            "\ufeff1",
        ),
        *("NaN", "Infinity", "-Infinity", "[NaN]", '{"a":Infinity}'),
        *('"\\ud800"', '"\\uDFFF"', '["\\udc00\\ud800"]', '{"\\ud83d":1}', '"\\ud83d\\u0041"', '"\ud800"'),
        *("[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000),
        "1" * 5000,
    ],
    ids=lambda text: f"{len(text)} {text[:12]!a}",
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        jsontext.parse(text)


@pytest.mark.parametrize(
    "raw", [b'"\xff"', b'"\xc3"', b'"\xed\xa0\x80"', b'"\xc0\xaf"', b"\xff\xfe1\x00", b'"\xf5\x80\x80\x80"']
)
def test_what_is_not_utf_8_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        jsontext.parse(raw)


def test_escaped_pairs_of_surrogates_are_one_character() -> None:
    assert jsontext.parse(b'"\\ud83d\\ude00 \\\\ud800"') == "😀 \\ud800"


def read(kind: Any, text: str) -> Any:
    return jsonwire.decode(kind, text)


def test_integers_beyond_a_double_come_and_go_exactly() -> None:
    for number in (2**53 + 1, 2**63 - 1, 2**64 - 1):
        assert read(U64, str(number)) == number
        assert jsonwire.encode(number, U64) == str(number).encode()


@pytest.mark.parametrize("text", ["1.0", "1e3", "-1", "18446744073709551616", '"1"', "true", "null", "[1]", "1E400"])
def test_what_is_no_integer_of_its_range_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read(U64, text)


def test_each_width_has_its_own_range() -> None:
    for kind, largest in ((U8, 2**8 - 1), (U32, 2**32 - 1)):
        assert read(kind, str(largest)) == largest
        with pytest.raises(Malformed):
            read(kind, str(largest + 1))


@pytest.mark.parametrize("text", ["0", "1", '"true"', "null"])
def test_only_true_and_false_are_truth_values(text: str) -> None:
    with pytest.raises(Malformed):
        jsonwire.decode(bool, text)


@pytest.mark.parametrize(
    "text", ["A", "AB=", "ABC==", "AB===", "=AAA", "A=A=", "AA==AA==", "+/8", "-_9", "A A", "AA\n", "ÄÖ", "A!"]
)
def test_what_is_no_base64url_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Base64Bytes.from_text(text)


def test_base64url_is_read_with_and_without_padding_at_every_length() -> None:
    for size in range(70):
        value = Base64Bytes(bytes(255 - number for number in range(size)))
        assert "=" not in value.text()
        assert Base64Bytes.from_text(value.text()) == value
        assert Base64Bytes.from_text(value.text() + "=" * (-len(value.text()) % 4)) == value


@pytest.mark.parametrize(
    "text", ["", "ab" * 31, "a" * 63, "zz" * 32, " " + "ab" * 32, "ab " * 32, "0x" + "a" * 62, "ａ" * 64]
)
def test_what_is_no_hex_of_the_right_size_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Hash.from_text(text)


@pytest.mark.parametrize("text", ["[256]", "[-1]", "[1.0]", "[true]", "[null]", '"AA"', "{}", "1"])
def test_what_is_no_array_of_bytes_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        jsonwire.decode(IntegerBytes, text)


def test_a_value_that_json_cannot_hold_is_refused_when_it_is_rendered() -> None:
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    for value in (deep, "\ud800", ["\udfff"]):
        with pytest.raises(Malformed):
            jsontext.render(value)


def test_a_repeated_field_is_refused_in_a_request_and_in_a_value_inside_it() -> None:
    envelope.parse_request('{"jsonrpc":"2.0","method":"m","params":[],"id":"a","x":1,"x":2}')
    with pytest.raises(Malformed):
        envelope.parse_request('{"jsonrpc":"2.0","method":"m","params":[],"id":"a","id":"b"}')
    with pytest.raises(Malformed):
        jsonwire.decode(Blob, '{"kind":"a","inner":"","kind":"b"}')


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        (b"1", 0),
        (b"[]", 1),
        (b'{"a":[{}]}', 3),
        (b"[[],[],[]]", 2),
        (b'["[[[[","{\\"[["]', 1),
        (b'"\\"[[[["', 0),
        (b"[" * 300, 300),
        (b'{"a":' * 300, 300),
    ],
)
def test_how_deep_text_is_nested_is_known_before_it_is_read(text: bytes, depth: int) -> None:
    assert not jsontext.is_deeper_than(text, depth)
    assert depth == 0 or jsontext.is_deeper_than(text, depth - 1)
