"""Peers' text made safe to show, once, at the border between the engine and the screen.

A terminal obeys what it prints: an escape sequence in a message could set the clipboard or rewrite the screen, a bidi override can
make a link read as another, a stack of combining marks can cover the lines around it. `body` (several lines) and `line` (one line)
return text in which only the visible remains. What they remove is either shown as a symbol (controls) or was invisible to begin with.
"""

import re
import unicodedata

_TAB = 4
_MOST_MARKS = 3  # combining marks on one character: more than any living script stacks

# Everything that needs a look. Most messages have none of it, so one scan settles them.
_SUSPECT = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\xa0\xad\u0300-\u036f\u0483-\u0489\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u20d0-\u20ff\u2800\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uffa0\ufff0-\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile("[\xa0\u2000-\u200a\u202f\u205f\u2800]")
# Invisible, so nothing is lost without them: soft hyphen, zero-width spaces and joiners of nothing, direction marks, embeddings,
# overrides and isolates, fillers that draw as a blank, interlinear annotation, tags, and all variation selectors but the last two.
_INVISIBLE = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0"
    "\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_BROKEN = re.compile("[\ud800-\udfff\ufffe\uffff]")
_JOINERS = re.compile("[\u200c\u200d\ufe0e\ufe0f]+")
_BLANKS = re.compile(r"\s+")


def body(text: str) -> str:
    """`text` with its lines kept and all else that could act on a terminal, or hide, made plain."""
    if not _SUSPECT.search(text):
        return text
    text = _BREAKS.sub("\n", text)
    text = "\n".join(part.expandtabs(_TAB) for part in text.split("\n")) if "\t" in text else text
    text = _INVISIBLE.sub("", _SPACES.sub(" ", text))
    text = _BROKEN.sub("\ufffd", _CONTROLS.sub(_picture, text))
    return _few_marks(_JOINERS.sub(_joiner, text))


def line(text: str) -> str:
    """`text` on one line, for names, previews, titles and notices: white space is folded to single blanks."""
    return _BLANKS.sub(" ", body(text)).strip()


def brief(text: str, most: int) -> str:
    """`text` on one line of `most` characters: what somebody chose to be long is not to push away what stands beside it."""
    shown = line(text)
    return shown if len(shown) <= most else shown[: most - 1].rstrip() + "…"


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def _joiner(match: re.Match[str]) -> str:
    """The first of a run of joiners and presentation selectors, and only between or after characters that it can act on."""
    text, start, end = match.string, match.start(), match.end()
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    run = match[0]
    selector = next((mark for mark in run if mark >= "\ufe00"), "")
    joiner = next((mark for mark in run if mark < "\ufe00"), "")
    if before.isspace() or (before.isascii() and not (selector and before in "#*0123456789")):
        return ""
    if joiner and (after.isspace() or after.isascii()):
        joiner = ""
    return selector + joiner


def _few_marks(text: str) -> str:
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)
