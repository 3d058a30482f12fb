"""The join link: what is pasted is what was printed, or a reason in words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import signing_secret
from xirtam_core.codec.primitives import AuthToken
from xirtam_core.crypto import signing
from xirtam_core.errors import Malformed
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName

PK = signing.public_of(signing_secret("directory"))
INVITE = AuthToken(b"\x1a" * 20)
LINK = JoinLink(("http://127.0.0.1:8080/",), PK, ServerName("~harbor"))


@pytest.mark.parametrize(
    "urls",
    [
        ("http://127.0.0.1:8080/",),
        ("https://directory.example.org/a/b?x=1&y=2#z", "tcp://[::1]:4001", "wss://directory.example.org/"),
        ("https://directory.example.org/%26+%20/ü",),
        tuple(f"http://{number}.example.org/" for number in range(8)),
    ],
)
@pytest.mark.parametrize("server", [None, ServerName("~harbor")])
@pytest.mark.parametrize("invite", [None, INVITE])
def test_a_link_survives_being_pasted_with_or_without_a_server_and_an_invite(
    urls: tuple[str, ...], server: ServerName | None, invite: AuthToken | None
) -> None:
    link = JoinLink(urls, PK, server, invite)
    text = str(link)
    assert text.isprintable()
    assert " " not in text
    assert JoinLink.parse(f"  {text}\n") == link


def test_a_link_is_readable() -> None:
    assert str(LINK) == f"xirtam:join?directory=http://127.0.0.1:8080/&key={PK.text()}&server=~harbor"


def test_an_invite_is_in_the_text_and_not_in_what_is_logged() -> None:
    link = JoinLink(LINK.directory_urls, PK, LINK.server, INVITE)
    assert str(link) == f"{LINK}&invite={'1a' * 20}"
    assert "1a1a" not in repr(link)


def test_parts_that_a_later_version_adds_are_passed_over() -> None:
    assert JoinLink.parse(f"{LINK}&colour=blue&colour=red") == LINK


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *(
            ("", "starts with"),
            ("xirtam", "starts with"),
            ("https://example.org/", "starts with"),
            ("xirtam:join", "starts with"),
        ),
        ("xirtam:join?", "no directory"),
        ("xirtam:join?directory", "damaged"),
        (f"xirtam:join?key={PK.text()}", "no directory"),
        (f"{LINK}&invite=1a1a", "invite .* damaged"),
        (f"xirtam:join?directory=gopher://x/&key={PK.text()}", "no directory"),
        (f"xirtam:join?directory=http:///x&key={PK.text()}", "no directory"),
        (f"xirtam:join?directory=http://[::1&key={PK.text()}", "no directory"),
        (f"xirtam:join?directory=http://x:99999/&key={PK.text()}", "no directory"),
        ("xirtam:join?directory=http://x/", "key"),
        (f"xirtam:join?directory=http://x/&key={PK.text()[:-1]}", "key"),
        (f"xirtam:join?directory=http://x/&key={'A' * 42}E", "key"),
        (f"xirtam:join?directory=http://x/&key={PK.text()}&server=harbor", "server name"),
        (f"xirtam:join?directory=http://x/&key={PK.text()}&x={'y' * 4096}", "longer"),
    ],
)
def test_a_damaged_link_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        JoinLink.parse(text)


def test_a_link_cut_short_anywhere_gives_no_other_key_and_no_crash() -> None:
    text = str(LINK)
    for end in range(len(text)):
        try:
            found = JoinLink.parse(text[:end])
        except Malformed:
            continue
        assert found.directory_pk == PK


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_whatever_is_pasted_is_refused_or_understood(text: str) -> None:
    for candidate in (text, f"xirtam:join?{text}", f"{LINK}{text}"):
        try:
            JoinLink.parse(candidate)
        except Malformed as refused:
            assert str(refused)
