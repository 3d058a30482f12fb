"""What is said of a group's picture, whoever says it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xirtam_core.codec.primitives import AeadKey, Hash
from xirtam_core.names import ServerName
from xirtam_core.protocol import group_avatar, group_command
from xirtam_core.protocol.attachment import Attachment
from xirtam_core.protocol.group_avatar import MOST_BYTES
from xirtam_core.protocol.group_command import SetInfo

_HARBOR = ServerName("~harbor")


def _root(*sizes: int, mime: str = "image/png") -> Attachment:
    children = tuple((Hash(number.to_bytes(32, "big")), size) for number, size in enumerate(sizes))
    return Attachment("avatar.png", mime, children, AeadKey(bytes(range(32))))


def _come_back(said: dict[str, Any]) -> dict[str, Any] | None:
    command = group_command.parse(group_command.render(SetInfo(avatar=said)))
    assert isinstance(command, SetInfo)
    return command.avatar


def test_a_picture_that_is_said_is_found_with_its_size_and_server() -> None:
    found = group_avatar.find(_come_back(group_avatar.said(_root(MOST_BYTES // 2, MOST_BYTES // 2), _HARBOR)))
    assert found is not None
    assert (found.root, found.server, found.size) == (_root(MOST_BYTES // 2, MOST_BYTES // 2), _HARBOR, MOST_BYTES)


@pytest.mark.parametrize("more", [None, {"y": [1]}, 1e300])
def test_nothing_is_kept_of_what_else_is_said(more: Any) -> None:
    said = group_avatar.said(_root(1), None)
    assert _come_back(said | {"x": more}) == said


def test_one_that_is_taken_away_is_said_and_found_no_more() -> None:
    assert _come_back(group_avatar.NONE) == {}
    assert group_avatar.find(group_avatar.NONE) is None
    assert group_avatar.find(None) is None


@pytest.mark.parametrize(
    "root", [_root(), _root(0), _root(MOST_BYTES + 1), _root(2**63, 2**63), _root(1, mime="image/svg+xml"), _root(1, mime="")]
)  # fmt: skip
def test_what_is_empty_too_large_or_of_another_kind_is_none(root: Attachment) -> None:
    assert group_avatar.find(group_avatar.said(root, _HARBOR)) is None


@pytest.mark.parametrize(
    "change",
    [{"server_name": "harbor"}, {"server_name": 17}, {"children": [["00", 1]]}, {"children": None}, {"content_key": "x"}, {"mime": 1}],
)  # fmt: skip
def test_what_makes_no_sense_is_none(change: dict[str, Any]) -> None:
    assert group_avatar.find(group_avatar.said(_root(1), _HARBOR) | change) is None


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.sampled_from(["filename", "mime", "children", "content_key", "server_name", "x"]), _json))
def test_nothing_that_can_be_said_does_harm(said: dict[str, Any]) -> None:
    assert group_avatar.find(msgspec.json.decode(msgspec.json.encode(said))) is None or set(said) >= {"children"}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"), (b"\xff\xd8\xff\xe0...", "image/jpeg"), (b"", None), (b"<svg/>", None),
        (b"GIF89a", None), (b" \x89PNG\r\n\x1a\n", None), (b"\x89PNG", None),
    ],
)  # fmt: skip
def test_a_picture_is_known_by_its_first_bytes(content: bytes, kind: str | None) -> None:
    assert group_avatar.kind_of(content) == kind
