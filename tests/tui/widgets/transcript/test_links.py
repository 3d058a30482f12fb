"""Finding web addresses."""

import pytest

from xirtam_tui.widgets.transcript.links import find_links


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("see https://example.org.", ["https://example.org"]),
        ("(https://example.org/a_(b)) and http://x.y/z?q=1#f!", ["https://example.org/a_(b)", "http://x.y/z?q=1#f"]),
        ("nothing here: ftp://x, javascript://y", []),
        ("https://", []),
        ("“https://example.org/…”", ["https://example.org/"]),
    ],
)
def test_addresses_are_found_without_the_sentence_around_them(text: str, addresses: list[str]) -> None:
    found = find_links(text)
    assert [link.address for link in found] == addresses
    assert all(text[link.start : link.end] == link.address for link in found)
