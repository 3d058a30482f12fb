"""What the bridge lets through to the screen."""

import msgspec

from tests.tui.demo import Script
from tests.tui.fake_client import NOW_NS
from xirtam_core.chat import Reaction
from xirtam_core.names import Username
from xirtam_tui.bridge.safe import safe_message


def test_a_quote_and_an_emoji_of_a_peers_cannot_act_on_the_terminal() -> None:
    message = Script("@bobby", NOW_NS).say("bobby", "hello").messages[0]
    hostile = "a\x1b]52;c;cm0=\x07\n\u202eb"
    reactions = (Reaction(hostile, (Username("@bobby"),)),)
    shown = safe_message(msgspec.structs.replace(message, quote=hostile, reactions=reactions))
    for text in (shown.quote, shown.reactions[0].emoji):
        assert text is not None
        assert not {"\x1b", "\x07", "\n", "\u202e"} & set(text)
    assert safe_message(message).quote is None
