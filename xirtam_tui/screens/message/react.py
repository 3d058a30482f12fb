"""Choosing an emoji to put on a message."""

from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from xirtam_core.chat import Message
from xirtam_core.emoji import is_one
from xirtam_core.names import Username
from xirtam_tui.emoji_names import are_names_shown
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet
from xirtam_tui.widgets.composer.emoji import offers
from xirtam_tui.widgets.words import Words

EMOJI = ("👍", "👎", "😂", "🎉", "😢", "🙏", "🔥", "👀")
"""All of them two cells wide in every terminal that has emoji."""
_CALLED = ("up", "down", "joy", "tada", "cry", "pray", "fire", "eyes")
"""What they are called on the buttons where emoji are shown as names, whose own would not fit beside each other."""
_SHORTEST = 2


class React(Sheet[str]):
    """Gives the emoji that was chosen: to be put on, or taken off where it is there already.

    Any other is pasted, or found by its name as in the composer: `:tada:` or a part of that, typed wherever the focus is.
    """

    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("react.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "cursor(1)", "Below", show=False, priority=True),
        Binding("up", "cursor(-1)", "Above", show=False, priority=True),
        *(Binding(str(number), f"pick({number})", "Pick", show=False) for number in range(1, len(EMOJI) + 1)),
    ]

    def __init__(self, message: Message, me: Username) -> None:
        super().__init__()
        name = "your" if message.mine else f"{message.sender.bare}'s"
        self.heading = f"React to {name} message"
        self._own = {each.emoji for each in message.reactions if me in each.senders}

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="emoji"):
            for number, emoji in enumerate(EMOJI, 1):
                own = "own" if emoji in self._own else ""
                picture = _CALLED[number - 1] if are_names_shown() else emoji
                yield Button(f"{number} {picture}", compact=True, classes=own, action=f"screen.pick({number})")
        yield Input(
            placeholder="or another: paste it, or type its name", compact=True, id="other", select_on_focus=False
        )
        yield OptionList(id="hits", compact=True)
        own = " ".join(sorted(self._own))
        yield Words(f"Yours: {own}. Choose it again to take it off." if own else "", id="answer")

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Cancel", "leave")

    def on_mount(self) -> None:
        self.query_one(OptionList).display = False

    def on_key(self, event: events.Key) -> None:
        """What is typed while a button has the focus is meant for the field, but for the numbers on the buttons."""
        field, typed = self.query_one(Input), event.character or ""
        is_meant = event.is_printable and not typed.isspace() and not typed.isdecimal()
        if typed and is_meant and not field.has_focus:
            event.stop()
            field.focus()
            field.insert_text_at_cursor(typed)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._say("")
        begun = event.value.strip().strip(":").lower()
        found = [each for each in offers(f":{begun}") if is_one(each.text)] if len(begun) >= _SHORTEST else []
        hits = self.query_one(OptionList)
        hits.clear_options()
        hits.add_options(Option(Content(offer.label), id=offer.text) for offer in found)
        hits.highlighted = 0 if found else None
        hits.display = bool(found)

    def action_cursor(self, step: int) -> None:
        hits, field = self.query_one(OptionList), self.query_one(Input)
        if not field.has_focus and not hits.has_focus:
            field.focus()
        elif step > 0:
            hits.action_cursor_down()
        else:
            hits.action_cursor_up()

    def action_pick(self, number: int) -> None:
        self.dismiss(EMOJI[number - 1])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        emoji, option = event.value.strip(), self.query_one(OptionList).highlighted_option
        if is_one(emoji):
            self.dismiss(emoji)
        elif option is not None:
            self.dismiss(option.id)
        else:
            self._say("No emoji is called that. Paste a single one, or type another name." if emoji else "")

    def _say(self, words: str) -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.set_class(bool(words), "failed")
