"""Whether a text names somebody."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xirtam_core.names import Username
from xirtam_core.protocol import mentions

_ALICE = Username("@alice")
_users = st.from_regex(r"@[A-Za-z0-9_]{5,15}", fullmatch=True).map(Username)
_beside = st.sampled_from(
    ["", " ", "\n", ", ", "(", "\N{LEFT DOUBLE QUOTATION MARK}", "!", "\N{SLIGHTLY SMILING FACE}", "/", "*"]
)


@pytest.mark.parametrize(
    "text",
    [
        "@alice", "hello @alice!", "Hello, @ALICE: come", "(@Alice)", "@alice's turn", "@bobby/@alice", "who, @alice?", "**@alice**",
        "thanks @alice.", "one\n@alice\ntwo", "问@alice吧", "> who comes?\n@alice does", "`code` and @alice", "@alice-led tours",
        "@alicea and @alice", "see https://example.org/@bobby, @alice",
    ],
)  # fmt: skip
def test_a_whole_word_names_somebody(text: str) -> None:
    assert mentions.names(text, _ALICE)


@pytest.mark.parametrize(
    "text",
    [
        "", "alice", "@", "@ alice", "@alic", "@alice_", "@alicea", "@alice2", "@@alice", "me@alice.example", "bob@alice", "b+@alice",
        "@alice@example.org", "@alice.example.org", "`@alice`", "```\n@alice\n```", "```\n@alice", "`ask @alice now`",
        "> @alice comes", "https://example.org/@alice", "x@alice",
    ],
)  # fmt: skip
def test_parts_of_words_addresses_code_and_quotes_name_nobody(text: str) -> None:
    assert not mentions.names(text, _ALICE)


@given(_users, _beside, _beside, st.text(alphabet="abc >\n", max_size=20))
def test_a_name_between_what_belongs_to_no_word_is_found_in_capitals_or_not(
    user: Username, before: str, after: str, text: str
) -> None:
    said = f"{text}\n{before}{user.swapcase()}{after}\n{text}"
    assert mentions.names(said, user)


@given(_users, st.text(alphabet="abcXYZ019_", min_size=1, max_size=10))
def test_a_longer_name_is_somebody_elses(user: Username, more: str) -> None:
    assert not mentions.names(f"hello {user}{more}", user)
    assert not mentions.names(f"hello {more}{user}", user)


@given(_users, st.text())
def test_nothing_is_found_where_the_name_does_not_stand(user: Username, text: str) -> None:
    assert mentions.names(text, user) <= (user.lower() in text.lower())


@pytest.mark.parametrize(
    "piece", ["`", "```", "@", "@alice.", "> ", "\n>", "@alice@", "://", "`\n", "``` @alice ", "@alice" * 2 + "`"]
)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * 65536)[: 64 * 1024 - 7] + " @alice"
    start = time.process_time()
    mentions.names(text, _ALICE)
    assert time.process_time() - start < 0.5
