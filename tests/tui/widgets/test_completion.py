"""Names that are completed while one writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xirtam_tui.widgets.composer.completion import completed, name_begun

_names = st.lists(st.from_regex(r"@[abAB]{5,7}", fullmatch=True), max_size=6, unique=True)


@pytest.mark.parametrize(
    ("before", "begun"),
    [("@", "@"), ("ask @bo", "@bo"), ("(@bo", "@bo"), ("", None), ("bo", None), ("me@bo", None), ("@bo ", None), ("@@bo", None)],
)  # fmt: skip
def test_a_name_is_begun_by_its_sign_at_the_beginning_of_a_word(before: str, begun: str | None) -> None:
    assert name_begun(before) == begun


@given(st.from_regex(r"@[abAB]{0,5}", fullmatch=True), _names)
def test_a_completion_goes_as_far_as_all_names_that_fit_agree(begun: str, names: list[str]) -> None:
    text, fitting = completed(begun, names)
    assert fitting == sorted((name for name in names if name.lower().startswith(begun.lower())), key=str.lower)
    if len(fitting) == 1:
        assert text == fitting[0] + " "
    else:
        assert text.startswith(begun)
        assert all(name.lower().startswith(text.lower()) for name in fitting)
        further = {name[: len(text) + 1].lower() for name in fitting}
        assert len(further) != 1 or further == {text.lower()}
