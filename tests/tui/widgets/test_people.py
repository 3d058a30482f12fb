"""People who are offered while one writes a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xirtam_tui.widgets.composer.people import Person, name_begun, offers

_names = st.lists(st.from_regex(r"@[abAB]{5,7}", fullmatch=True), max_size=6, unique=True)


@pytest.mark.parametrize(
    ("before", "begun"),
    [("@", "@"), ("ask @bo", "@bo"), ("(@bo", "@bo"), ("", None), ("bo", None), ("me@bo", None), ("@bo ", None), ("@@bo", None)],
)  # fmt: skip
def test_a_name_is_begun_by_its_sign_at_the_beginning_of_a_word(before: str, begun: str | None) -> None:
    assert name_begun(before) == begun


@given(st.from_regex(r"@[abAB]{0,5}", fullmatch=True), _names)
def test_all_whose_names_have_in_them_what_was_begun_are_offered_those_that_begin_so_first(
    begun: str, names: list[str]
) -> None:
    offered = [offer.label for offer in offers(begun, map(Person, names))]
    fitting = [name for name in names if begun[1:].lower() in name[1:].lower()]
    assert sorted(offered) == (sorted(fitting) if fitting != [begun] else [])
    begin_so = [name.lower().startswith(begun.lower()) for name in offered]
    assert begin_so == sorted(begin_so, reverse=True)


def test_members_come_before_others_and_what_one_calls_somebody_finds_them() -> None:
    people = [Person("@alba_t"), Person("@bobby", "Uncle Bob"), Person("@carol_w", is_here=True)]
    assert [offer.label for offer in offers("@", people)] == ["@carol_w", "@alba_t", "@bobby"]
    assert [offer.label for offer in offers("@unc", people)] == ["@bobby"]


def test_a_name_that_is_written_out_and_a_sign_alone_leave_enter_to_sending() -> None:
    people = [Person("@bobby"), Person("@bobby_two")]
    assert not any(offer.takes_enter for offer in offers("@", people))
    assert [offer.takes_enter for offer in offers("@bobb", people)] == [True, True]
    assert not offers("@bobby", people)[0].takes_enter
