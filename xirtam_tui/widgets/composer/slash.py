"""Commands that are written: `/` and an action's name, from the registry. Two slashes begin a message that begins with one."""

import re
from typing import NamedTuple

from xirtam_tui import fuzzy
from xirtam_tui.actions import ACTIONS, Action, Situation
from xirtam_tui.widgets.composer.suggestions import Offer

COMMANDS = {action.command: action for action in ACTIONS if action.command}
_BEGUN = re.compile(r"/[a-z-]*\Z", re.ASCII)
_COMMAND = re.compile(r"(/[a-z][a-z-]*)(?: +(.*))?\Z", re.ASCII)


class Command(NamedTuple):
    """What was written as a command: its name, the action where there is one, and what stood behind it."""

    name: str
    action: Action | None
    words: str


def command_begun(written: str) -> str | None:
    """The command, `/` and all, that is all that is written; None where something else is."""
    return written if _BEGUN.fullmatch(written) else None


def offers(begun: str, now: Situation) -> list[Offer]:
    """The commands that `begun` could become, those that can be run now, best first."""
    fitting = [
        (found.score, action)
        for action in COMMANDS.values()
        if action.is_enabled(now) and (found := fuzzy.match(begun[1:], action.command[1:])) is not None
    ]
    if begun != "/":
        fitting.sort(key=lambda each: (each[1].command != begun, not each[1].command.startswith(begun), -each[0]))
    return [_offer(action) for _, action in fitting]


def _offer(action: Action) -> Offer:
    label = f"{action.command} {action.takes}".strip()
    return Offer(label, action.help, f"{action.command} " if action.takes else action.command, action.command)


def read(written: str) -> Command | None:
    """The command that a message is, known or not; None where it is a message."""
    found = _COMMAND.match(written.strip())
    if found is None:
        return None
    action = COMMANDS.get(found[1])
    words = (found[2] or "").strip()
    return Command(found[1], action if action is None or action.takes or not words else None, words)


def why_not(command: Command) -> str:
    """Why a command that is none cannot be run, and what to do."""
    known = COMMANDS.get(command.name)
    if known is not None:
        reason = f"{command.name} takes nothing behind it"
    else:
        near = next(iter(offers(command.name, _ANYWHERE)), None)
        reason = f"there is no command {command.name}" + (f"; did you mean {near.command}?" if near else "")
    return f"{reason}. To send it as a message, begin it with two slashes"


_ANYWHERE = Situation(in_chats=True, chat_open=True)


def plain(written: str) -> str:
    """A message as it is meant: where it begins with two slashes, one of them kept it from being a command."""
    return written[1:] if written.startswith("//") and read(written[1:].split("\n", 1)[0]) is not None else written
