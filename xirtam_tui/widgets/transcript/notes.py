"""What is said under a message: that it was edited, who put which emoji on it, what is wrong with it."""

from xirtam_core.chat import Message, Reaction, SendState
from xirtam_core.names import Username
from xirtam_tui.moments import clock_time
from xirtam_tui.widgets.transcript.dating import is_skewed

_MOST_NAMES = 4
REACTIONS = "└ "
"""What the line of reactions begins with."""


def notes(message: Message, me: Username | None = None) -> list[tuple[str, bool]]:
    """What is said under a message, and whether it needs attention."""
    found: list[tuple[str, bool]] = []
    if message.is_edited:
        found.append(("(edited)", False))
    if message.reactions:
        found.append((REACTIONS + "   ".join(words for _, words in reactions(message, me)), False))
    if message.state is SendState.FAILED:
        reason = message.failure or "the server did not take it"
        found.append((f"Not sent: {reason}. Kept here. ↑ then r to retry, d to discard", True))
    if message.is_outsiders:
        found.append((f"⚠ {message.sender.bare} is not in this group", True))
    if not message.verified:
        found.append(("⚠ unverified: the directory did not answer about the sender. It is asked again", True))
    if is_skewed(message) and message.received_at is not None:
        found.append(
            (f"dated {clock_time(message.sent_at)} by its sender, arrived {clock_time(message.received_at)}", False)
        )
    return found


def reactions(message: Message, me: Username | None = None) -> list[tuple[str, str]]:
    """Each emoji on a message, and what is said of it in the line of reactions."""
    return [(each.emoji, _reaction(each, me)) for each in message.reactions]


def _reaction(reaction: Reaction, me: Username | None) -> str:
    """An emoji and who put it there: oneself first, and of a crowd only a few."""
    senders = sorted(reaction.senders, key=lambda sender: sender != me)
    names = ["you" if sender == me else sender.bare for sender in senders[:_MOST_NAMES]]
    more = f" and {len(senders) - _MOST_NAMES} more" if len(senders) > _MOST_NAMES else ""
    return f"{reaction.emoji} {', '.join(names)}{more}"
