"""The states of every screen, each reached by keys on a made-up machine: for the snapshots and for the gallery."""

from tests.tui.states import around, beginning, chats, groups, keys, moving
from tests.tui.states.state import State

STATES: dict[str, State] = {
    **chats.STATES,
    **groups.STATES,
    **keys.STATES,
    **moving.STATES,
    **beginning.STATES,
    **around.STATES,
}

__all__ = ["STATES", "State"]
