"""What could be meant by what has been begun, above the composer and over the transcript, which does not move for it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.message import Message as UiMessage
from textual.widget import Widget

from xirtam_tui.emoji_names import shown

_MOST = 8
_LABEL = 22


class Offer(NamedTuple):
    """One thing to take: what it shows, and what is written in the place of what was begun. A `command` is run.

    Enter takes it where an arrow has chosen it, and of its own where it `takes_enter`; else it sends.
    """

    label: str
    note: str
    text: str
    command: str = ""
    takes_enter: bool = False


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

    def __init__(self, *, keys: Collection[str] = ("tab",), id: str | None = None) -> None:  # noqa: A002 # as every widget calls it
        super().__init__(id=id)
        self._keys = keys  # those that take an offer
        self._begun = ""
        self._offers: Sequence[Offer] = ()
        self._at = self._first = 0  # which one is marked, and which one shows on the first line
        self._is_chosen = False

    @property
    def is_open(self) -> bool:
        """Whether there is something to take."""
        return bool(self._offers)

    def show(self, begun: str, offers: Sequence[Offer]) -> None:
        """Offers this for what was `begun`; nothing where there is nothing."""
        was_open = self.is_open
        chosen = self._offers[self._at] if self._is_chosen and begun == self._begun else None
        self._begun, self._offers, self._at, self._first = begun, offers, 0, 0
        if (is_chosen := chosen in offers) and chosen is not None:
            self._mark(offers.index(chosen))  # more is offered than before: what was chosen stays so
        self._is_chosen = is_chosen
        if not was_open and not self.is_open:
            return  # as at most keys: nothing is to be laid out anew
        self.display = self.is_open
        self.styles.offset = (0, -len(self._shown))
        self.refresh(layout=True)

    @property
    def _shown(self) -> Sequence[Offer]:
        return self._offers[self._first : self._first + _MOST]

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
            self._mark((self._at + (1 if key == "down" else -1)) % len(self._offers))
            self._is_chosen = True
            self.refresh()
        elif key in self._keys or (key == "enter" and (self._is_chosen or offer.command or offer.takes_enter)):
            # A command that is only begun is completed: what it was taken for is read before it is done.
            self._take(offer, is_final=key == "enter" and (self._is_chosen or offer.command == self._begun))
        elif key == "colon" and offer.label.split()[-1] == f"{self._begun}:":
            self._take(offer, is_final=True)
        else:
            return False
        return True

    def _mark(self, at: int) -> None:
        """Marks an offer, and has it show."""
        self._at = at
        self._first = min(max(self._first, at - _MOST + 1), at)

    def _take(self, offer: Offer, *, is_final: bool) -> None:
        begun = self._begun
        self.put_away()
        self.post_message(self.Taken(begun, offer, is_final=is_final))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.y < len(self._shown):
            self._take(self._shown[event.y], is_final=True)

    def render(self) -> Content:
        return Content("\n").join(self._row(at, offer) for at, offer in enumerate(self._shown, self._first))

    def _row(self, at: int, offer: Offer) -> Content:
        mark = "▌ " if at == self._at else "  "
        label = Content(offer.label)
        gap = " " * max(2, _LABEL - label.cell_length)
        row = Content.assemble((mark, "$accent"), label.stylize("bold"), gap, (shown(offer.note), "$text-muted"))
        row = row.truncate(self.size.width, ellipsis=True, pad=True)
        return row.stylize_before("on $chosen") if at == self._at else row

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._shown)
