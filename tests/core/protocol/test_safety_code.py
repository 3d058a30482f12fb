"""The safety code: the same on both sides, another one with any other key."""

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_core.protocol import safety_code
from xirtam_core.protocol.safety_code import Party

ALICE: Party = (Username("@alice"), Hash(bytes(32)))
BOBBY: Party = (Username("@bobby"), Hash(bytes(range(32))))

parties = st.tuples(
    st.from_regex(r"@[A-Za-z0-9_]{5,15}", fullmatch=True).map(Username), st.binary(min_size=32, max_size=32).map(Hash)
)


def test_a_code_is_what_it_was_in_every_version() -> None:
    code = safety_code.of(ALICE, BOBBY)
    assert code.digits == "73969 61649 56814 94710 36842 71026 97202 39332 86936 96181 93674 56954"
    assert code.text == "xirtam:safety:b9bKaHnppwJqWoT75d14qBaOmaPOEldqMCwC47FYQLo"


@given(parties, parties)
def test_both_sides_see_the_same_twelve_groups_of_five_digits(one: Party, other: Party) -> None:
    code = safety_code.of(one, other)
    assert code == safety_code.of(other, one)
    assert re.fullmatch(r"\d{5}( \d{5}){11}", code.digits)
    assert re.fullmatch(r"xirtam:safety:[A-Za-z0-9_-]{43}", code.text)


@given(parties, parties, parties)
def test_another_name_or_key_on_either_side_is_another_code(one: Party, other: Party, third: Party) -> None:
    assume(third not in (one, other))
    code = safety_code.of(one, other)
    for changed in (safety_code.of(one, third), safety_code.of(third, other)):
        assert changed.digits != code.digits
        assert changed.text != code.text
