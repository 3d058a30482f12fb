"""Breaking text into lines."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, split_graphemes

from xirtam_tui.text import body
from xirtam_tui.widgets.transcript.wrap import is_plain, wrap

_texts = st.text(
    st.sampled_from("abc   \n日本👍é-") | st.characters(exclude_categories=["Cs", "Cc", "Mn", "Me", "Cf"]), max_size=300
)


def lines(text: str, width: int) -> list[str]:
    return [text[line.start : line.end] for line in wrap(text, width)]


@given(_texts, st.integers(2, 40))
def test_no_line_is_wider_than_it_may_be_and_its_measure_is_true(text: str, width: int) -> None:
    text = body(text)
    for line in wrap(text, width):
        assert line.cells == cell_len(text[line.start : line.end])
        assert line.cells <= width


@given(_texts, st.integers(2, 40))
def test_lines_and_joiners_give_back_the_text(text: str, width: int) -> None:
    text = body(text)
    whole = ""
    for number, line in enumerate(wrap(text, width)):
        whole += ("" if number == 0 else line.joiner) + text[line.start : line.end]
    assert [part.rstrip() for part in whole.split("\n")] == [part.rstrip() for part in text.split("\n")]


_mostly_plain = st.text(st.sampled_from("abcdefgh  .éßяλ…—日"), min_size=1, max_size=200)


@given(_texts | _mostly_plain, st.integers(2, 40))
def test_every_line_holds_as_much_as_it_can(text: str, width: int) -> None:
    text = body(text)
    for line, after in pairwise(wrap(text, width)):
        more = text[after.start : after.end]
        if after.joiner == "\n" or text[line.start : line.end].isspace():  # an indentation may have to stand alone
            continue
        if after.joiner:
            first = more.split()[0]
            assert line.cells + cell_len(after.joiner) + cell_len(first) > width
        else:
            spans, _ = split_graphemes(more)
            assert line.cells + spans[0][2] > width


def test_what_counts_as_plain_has_as_many_cells_as_characters() -> None:
    plain = [chr(number) for number in range(0x20, 0x3000) if is_plain(chr(number))]
    assert len(plain) > 900
    assert [letter for letter in plain if cell_len(letter) != 1 or (letter.isspace() and letter != " ")] == []


def test_words_are_kept_whole() -> None:
    assert lines("the quick brown fox", 10) == ["the quick", "brown fox"]


def test_a_word_longer_than_a_line_is_split() -> None:
    assert lines("see https://example.org/a/b", 10) == ["see", "https://ex", "ample.org/", "a/b"]


def test_wide_characters_count_for_two_cells() -> None:
    assert lines("日本語日本語", 5) == ["日本", "語日", "本語"]


def test_an_emoji_of_several_code_points_is_not_torn() -> None:
    assert lines("👩\u200d🚀👩\u200d🚀👩\u200d🚀", 4) == ["👩\u200d🚀👩\u200d🚀", "👩\u200d🚀"]


def test_blank_lines_and_indentation_stay() -> None:
    assert lines("a\n\n  b", 10) == ["a", "", "  b"]
