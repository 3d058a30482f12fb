"""User and server names, typed and on the wire (spec: encoding.md, Names)."""

from typing import Any

import pytest

from tests.vectors_of import each, vectors
from xirtam_core.codec import bcs, jsonwire
from xirtam_core.errors import InvalidName
from xirtam_core.names import GroupName, ServerName, Username

_VECTORS = vectors("primitives")


def check(kind: type[Username] | type[ServerName], case: dict[str, Any]) -> None:
    text = case["text"]
    if case["on_the_wire"]:
        assert type(bcs.decode(kind, bcs.encode(text))) is kind
        assert type(jsonwire.decode(kind, jsonwire.encode(text))) is kind
        assert str(kind(text)) == text
    else:
        for attempt in (
            lambda: bcs.decode(kind, bcs.encode(text)),
            lambda: jsonwire.decode(kind, jsonwire.encode(text)),
        ):
            with pytest.raises(InvalidName):
                attempt()
    if case["typed_by_a_user"] is None:
        with pytest.raises(InvalidName):
            kind.parse(text)
    else:
        assert kind.parse(text) == case["typed_by_a_user"]


@each("case", _VECTORS["usernames"], "text")
def test_user_names(case: dict[str, Any]) -> None:
    check(Username, case)


@each("case", _VECTORS["server_names"], "text")
def test_server_names(case: dict[str, Any]) -> None:
    check(ServerName, case)


@pytest.mark.parametrize(
    "text", ["@alicé", "@alice ", " @alice", "@ａｌｉｃｅ", "@ali\u0441e", "@alice\x00", "@١٢٣٤٥", "@alice\r\n"]
)
def test_only_ascii_letters_digits_and_underscores_count(text: str) -> None:
    with pytest.raises(InvalidName):
        Username(text)


def test_a_name_without_its_sigil_is_bare() -> None:
    assert (Username("@alice").bare, ServerName("~harbor").bare) == ("alice", "harbor")


def test_a_group_name_has_the_letters_of_a_user_name() -> None:
    assert GroupName.parse("climbers") == GroupName("+climbers") == "+climbers"
    for text in ("climbers", "@climbers", "+clim", "+climbers_of_arco", "+climbers\n", "+clímbers", "++climbers"):
        with pytest.raises(InvalidName):
            GroupName(text)


def test_a_refused_name_says_what_a_name_is() -> None:
    with pytest.raises(InvalidName, match=r"@ and 5 to 15 letters"):
        Username.parse("al")
    with pytest.raises(InvalidName, match=r"~ and 5 to 15 letters"):
        ServerName.parse("ha")
