"""What could be meant by what has been begun, above the composer and over the transcript, which does not move for it."""

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.message import Message as UiMessage
from textual.widget import Widget

_MOST = 8
_LABEL = 22


class Offer(NamedTuple):
    """One thing to take: what it shows, and what is written in the place of what was begun. A `command` is run."""

    label: str
    note: str
    text: str
    command: str = ""


class Suggestions(Widget):
    """The list of offers. The composer's keys come here first (`take_key`)."""

    DEFAULT_CSS = """
    Suggestions {
        display: none;
        overlay: screen;
        width: 1fr;
        height: auto;
        background: $panel;
    }
    """

    class Taken(UiMessage):
        """A person took `offer` for what was `begun`; `is_final` where a command is to run rather than to be written out."""

        def __init__(self, begun: str, offer: Offer, *, is_final: bool) -> None:
            super().__init__()
            self.begun, self.offer, self.is_final = begun, offer, is_final

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # as every widget calls it
        super().__init__(id=id)
        self._begun = ""
        self._offers: Sequence[Offer] = ()
        self._at = 0
        self._is_chosen = False

    @property
    def is_open(self) -> bool:
        """Whether there is something to take."""
        return bool(self._offers)

    def show(self, begun: str, offers: Sequence[Offer]) -> None:
        """Offers this for what was `begun`; nothing where there is nothing."""
        was_open = self.is_open
        self._begun, self._offers, self._at, self._is_chosen = begun, offers[:_MOST], 0, False
        if not was_open and not self.is_open:
            return  # as at most keys: nothing is to be laid out anew
        self.display = self.is_open
        self.styles.offset = (0, -len(self._offers))
        self.refresh(layout=True)

    def put_away(self) -> bool:
        """Offers nothing any more; False where nothing was."""
        was_open = self.is_open
        if was_open:
            self.show("", ())
        return was_open

    def take_key(self, key: str) -> bool:
        """Does what a key means while something is offered; False where it means what it does otherwise."""
        if not self.is_open:
            return False
        offer = self._offers[self._at]
        if key in ("up", "down"):
            self._at = (self._at + (1 if key == "down" else -1)) % len(self._offers)
            self._is_chosen = True
            self.refresh()
        elif key == "tab" or (key == "enter" and (self._is_chosen or offer.command)):
            # A command that is only begun is completed: what it was taken for is read before it is done.
            self._take(offer, is_final=key == "enter" and (self._is_chosen or offer.command == self._begun))
        elif key == "colon" and offer.label.endswith(f" {self._begun}:"):
            self._take(offer, is_final=True)
        else:
            return False
        return True

    def _take(self, offer: Offer, *, is_final: bool) -> None:
        begun = self._begun
        self.put_away()
        self.post_message(self.Taken(begun, offer, is_final=is_final))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.y < len(self._offers):
            self._take(self._offers[event.y], is_final=True)

    def render(self) -> Content:
        return Content("\n").join(self._row(at, offer) for at, offer in enumerate(self._offers))

    def _row(self, at: int, offer: Offer) -> Content:
        mark = "▌ " if at == self._at else "  "
        label = Content(offer.label)
        gap = " " * max(2, _LABEL - label.cell_length)
        row = Content.assemble((mark, "$accent"), label.stylize("bold"), gap, (offer.note, "$text-muted"))
        row = row.truncate(self.size.width, ellipsis=True, pad=True)
        return row.stylize_before("on $chosen") if at == self._at else row

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._offers)
