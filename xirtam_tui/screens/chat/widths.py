"""How many columns each pane of the chat screen has."""

from xirtam_tui.screens.sized import WIDE

DETAILS = 31
"""The details' columns, with the hairline at their left."""
_NARROWEST_LIST, _USUAL_LIST, _WIDEST_USUAL_LIST = 20, 28, 38
_USUAL_CONVERSATION, _LEAST_CONVERSATION = 60, 44


def list_columns(wanted: int | None, screen: int, details: int) -> int:
    """The list's columns on a screen of so many, `details` of which are taken by those; `wanted` is what a person chose, if they did.

    A chosen width leaves three sevenths of the screen to the conversation, and 44 columns where there are as many.
    """
    room = screen - details - 1  # the hairline
    if wanted is None:
        usual = room - _USUAL_CONVERSATION if screen >= WIDE else _USUAL_LIST
        return min(max(usual, _USUAL_LIST), _WIDEST_USUAL_LIST)
    return max(_NARROWEST_LIST, min(wanted, room - max(_LEAST_CONVERSATION, screen * 3 // 7)))
