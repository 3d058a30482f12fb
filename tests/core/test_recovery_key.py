"""Recovery keys on paper: what was typed wrongly is found, and what was only written differently is read."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xirtam_core.crypto import signing
from xirtam_core.errors import Malformed
from xirtam_core.recovery_key import RecoveryKey

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
keys = st.integers(0, 2**160 - 1).map(RecoveryKey)


def _is_refused(typed: str) -> bool:
    try:
        RecoveryKey.parse(typed)
    except Malformed:
        return True
    return False


def test_a_key_stays_what_it_was_in_this_version() -> None:
    key = RecoveryKey(0)
    assert key.text() == "R1000 00000 00000 00000 00000 00000 0000H M6R1V"
    assert key.public_text() == "hq2arN47Q9wBuTh0NrkWiq_yGiMTS-ZFY9z3rjzSkaM"


@given(keys)
def test_a_key_that_was_written_down_is_read_again(key: RecoveryKey) -> None:
    text = key.text()
    assert [len(group) for group in text.split(" ")] == [5] * 8
    for typed in (text, key.qr_text(), text.lower(), text.replace(" ", ""), f"\n {text.replace(' ', ' - ')}\t\n"):
        assert RecoveryKey.parse(typed).public_text() == key.public_text()


@given(keys)
def test_letters_that_look_like_others_are_read_as_those(key: RecoveryKey) -> None:
    for written, read in ("0O", "0o", "1I", "1l", "1L", "VU", "Vu"):
        typed = key.text()[:2] + key.text()[2:].replace(written, read)
        assert RecoveryKey.parse(typed).public_text() == key.public_text()


@given(keys, st.integers(0, 39), st.integers(1, 31))
def test_a_single_wrong_symbol_is_found_and_its_group_named(key: RecoveryKey, place: int, off: int) -> None:
    symbols = key.text().replace(" ", "")
    wrong = ALPHABET[(ALPHABET.index(symbols[place]) + off) % 32]
    with pytest.raises(Malformed, match="begins with" if place < 2 else f"group {place // 5 + 1} of 8"):
        RecoveryKey.parse(symbols[:place] + wrong + symbols[place + 1 :])


def test_no_single_wrong_symbol_of_a_key_goes_unseen() -> None:
    symbols = RecoveryKey.new().text().replace(" ", "")
    for place, right in enumerate(symbols):
        for wrong in ALPHABET.replace(right, ""):
            assert _is_refused(symbols[:place] + wrong + symbols[place + 1 :])


@given(keys, st.data())
def test_up_to_four_wrong_symbols_are_found(key: RecoveryKey, data: st.DataObject) -> None:
    symbols = list(key.text().replace(" ", ""))
    for place in data.draw(st.lists(st.integers(2, 39), min_size=1, max_size=4, unique=True)):
        symbols[place] = data.draw(st.sampled_from([each for each in ALPHABET if each != symbols[place]]))
    assert _is_refused("".join(symbols))


@given(keys, st.integers(2, 38))
def test_two_neighbours_that_changed_places_are_found(key: RecoveryKey, place: int) -> None:
    symbols = key.text().replace(" ", "")
    swapped = symbols[:place] + symbols[place + 1] + symbols[place] + symbols[place + 2 :]
    assert swapped == symbols or _is_refused(swapped)


@given(keys, st.integers(2, 40))
def test_what_is_missing_or_too_much_is_found(key: RecoveryKey, place: int) -> None:
    symbols = key.text().replace(" ", "")
    assert _is_refused(symbols[:place] + symbols[place + 1 :]) == (place < 40)
    assert _is_refused(symbols[:place] + "7" + symbols[place:])


@given(st.text(max_size=200))
def test_whatever_is_typed_is_read_or_refused(typed: str) -> None:
    assert _is_refused(typed) or RecoveryKey.parse(typed).text()


@pytest.mark.parametrize("typed", ["", "R1", "correct horse battery staple", "é" * 40, "R2" + "0" * 38, "9" * 100_000])
def test_what_is_no_key_is_refused(typed: str) -> None:
    assert _is_refused(typed)


def test_a_key_shows_nowhere_but_where_it_is_asked_for() -> None:
    key = RecoveryKey.new()
    assert key.text() != RecoveryKey.new().text()
    assert repr(key) == str(key) == f"{key}" == "RecoveryKey(secret)"
    with pytest.raises(TypeError):
        pickle.dumps(key)
    wrong = key.text()[:-1] + ("0" if key.text()[-1] != "0" else "1")
    with pytest.raises(Malformed) as refused:
        RecoveryKey.parse(wrong)
    assert not any(group in str(refused.value) for group in wrong.split(" "))


def test_the_secret_and_the_public_half_belong_together() -> None:
    key = RecoveryKey.new()
    assert signing.public_of(key.secret()).text() == key.public_text()
