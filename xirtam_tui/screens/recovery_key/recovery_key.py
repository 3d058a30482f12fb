"""The account's recovery key: whether there is one, and making, checking and removing it (docs/recovery.md)."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Button, Static

from xirtam_core.devices import NameOwnership, OwnerKey, OwnerKind
from xirtam_tui import moments
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain, sentence
from xirtam_tui.running import running_app
from xirtam_tui.screens.confirm.confirm import Confirm
from xirtam_tui.screens.owners.following import Following
from xirtam_tui.screens.owners.rows import powerless
from xirtam_tui.screens.recovery_key.new_key import NewKey
from xirtam_tui.screens.recovery_key.type_key import TypeKey, say
from xirtam_tui.screens.sheet.one_thing import OneThing
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

_GIVEN_UP = "Nothing was done. The key that was shown does not count: throw the paper away."
_COUNTS = "The new recovery key counts now. Keep the paper where no device is."
_NONE_YET = "No recovery key counts yet: it does once the directory has logged it."
_NONE = "There is no recovery key. If all your devices are lost, so is the account."


class RecoveryKeySheet(Sheet[None]):
    """Takes a person through it. A key itself is nowhere but in the sheet where it is written down, and gone with that."""

    heading = "Your recovery key"
    explanation = (
        "A key on paper that owns your name, for when your devices are lost. It is shown once and kept nowhere; whoever has it can "
        "take the account over."
    )
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("recovery_key.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "make", "Make one", show=False),
        Binding("c", "check", "Check", show=False),
        Binding("x", "remove", "Remove", show=False),
    ]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._seen: NameOwnership | None = None
        self._awaited = ""
        """What is said once what is being changed has been logged."""
        self._begun = OneThing(self, self.heading, self._say)

    def compose_body(self) -> ComposeResult:
        yield Static("Asking the directory…", id="kept", markup=False)
        yield Following(self._bridge)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Make one m", "make", primary=True)
        yield self.button("Check c", "check")
        yield self.button("Remove x", "remove")
        yield self.button("Close", "leave")

    def on_mount(self) -> None:
        self.run_worker(self._look(), group="looking")

    async def _look(self) -> NameOwnership | None:
        try:
            seen = await self._bridge.owners.ownership()
        except Exception as error:
            self._begun.tell(explain(error).text, "failed")
            return None
        if self._begun.is_shown:
            self._show(seen)
        return seen

    def _show(self, seen: NameOwnership) -> None:
        self._seen = seen
        kept = _kept(seen)
        self.query_one("#kept", Static).update(
            Content("\n").join(_standing(each) for each in kept) if kept else _none(seen)
        )
        button = self.query_one("#make", Button)
        button.label = "Make a new one m" if kept else "Make one m"
        button.refresh(layout=True)
        self.query_one("#remove").display = bool(kept)
        self.query_one(Following).follow(seen)

    async def on_following_ended(self, event: Following.Ended) -> None:
        if await self._look() is None:
            return
        if event.trouble is None:
            self._say(self._awaited or "The directory has logged it.", "good")
        else:
            self._say(f"It came to nothing: {sentence(event.trouble)}", "failed")
        self._awaited = ""

    # What a person does

    def _may_change(self) -> NameOwnership | None:
        """What there is, where this device can change it; else says who can, and looks again where that is not known."""
        if self._seen is None:
            self.run_worker(self._look(), group="looking", exclusive=True)
        elif not self._seen.is_owner:
            self._say(powerless(self._seen), "failed")
            return None
        return self._seen

    def action_make(self) -> None:
        if (seen := self._may_change()) is not None:
            self._begun.begin(lambda: self._make(_kept(seen)))

    async def _make(self, former: list[OwnerKey]) -> None:
        key = await running_app(self).push_screen_wait(NewKey())
        if key is None:
            self._begun.tell(_GIVEN_UP)
            return
        replaces = bool(former) and await self._asks_to_replace(len(former))
        await self._add(key.public_text(), former if replaces else [])

    async def _asks_to_replace(self, count: int) -> bool:
        which = "the recovery key from before" if count == 1 else f"the {count} recovery keys from before"
        words = "Its paper is worth nothing then, once the new key counts. Keep both if that paper is in a place as good as this one."
        question = Confirm(
            f"Remove {which}?", words, yes="Replace it" if count == 1 else "Replace them", no="Keep both"
        )
        return bool(await running_app(self).push_screen_wait(question))

    async def _add(self, key: str, former: list[OwnerKey]) -> None:
        """The engine adds the new key first, and removes no other one if that comes to nothing."""
        self._begun.tell("Asking the directory…")
        while True:
            try:
                seen = await self._bridge.owners.add_recovery_key(key)
                for each in former:
                    seen = await self._bridge.owners.remove(each.key)
            except Exception as error:
                if not await self._asks_to_try_again(explain(error).text):
                    self._begun.tell(_GIVEN_UP, "failed")
                    return
            else:
                self._follow(seen, _COUNTS)
                return

    async def _asks_to_try_again(self, why: str) -> bool:
        """Nobody is to write another paper because the network was away for a moment."""
        words = f"{why} The paper is good, but the key on it does not count yet."
        question = Confirm("That did not work", words, yes="Try again", no="Give up", is_harmless=True)
        return bool(await running_app(self).push_screen_wait(question))

    def action_check(self) -> None:
        self._begun.begin(self._check)

    async def _check(self) -> None:
        words = "Type it from the paper. It is compared here, and sent nowhere."
        key = await running_app(self).push_screen_wait(TypeKey("Check a recovery key", words, yes="Check"))
        if key is None:
            return
        self._begun.tell("Asking the directory…")
        if (seen := await self._look()) is None:
            return
        if any(each.key == key.public_text() for each in seen.owners):
            self._begun.tell(f"✓ This is a recovery key of {seen.name}, and it counts.", "good")
        else:
            words = f"✗ This is a recovery key, but none that owns {seen.name} (any more). Is it the newest one?"
            self._begun.tell(words, "failed")

    def action_remove(self) -> None:
        if (seen := self._may_change()) is None:
            return
        kept = _kept(seen)
        if kept:
            self._begun.begin(lambda: self._remove(seen, kept))
        else:
            self._say("There is no recovery key that this device knows of.")

    async def _remove(self, seen: NameOwnership, kept: list[OwnerKey]) -> None:
        what = "the recovery key" if len(kept) == 1 else f"all {len(kept)} recovery keys"
        words = "The paper is worth nothing then. Without one, an account whose devices are all lost is lost."
        if not await running_app(self).push_screen_wait(Confirm(f"Remove {what}?", words, yes="Remove", no="Keep it")):
            return
        self._begun.tell("Asking the directory…")
        try:
            for each in kept:
                seen = await self._bridge.owners.remove(each.key)
        except Exception as error:
            self._begun.tell(explain(error).text, "failed")
        else:
            self._follow(seen, "It is removed. The paper is worth nothing any more.")

    def _follow(self, seen: NameOwnership, awaited: str) -> None:
        self._awaited = awaited
        self._begun.tell("")
        if self._begun.is_shown:
            self._show(seen)

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        say(answer, words, tone)
        answer.display = bool(words)


def _kept(seen: NameOwnership) -> list[OwnerKey]:
    return [each for each in seen.owners if each.kind is OwnerKind.RECOVERY]


def _standing(owner: OwnerKey) -> Content:
    made = "" if owner.since_s is None else f", made on {moments.date(owner.since_s)}"
    teller = "" if owner.said_by is None else f", as {owner.said_by} says"
    return Content.assemble(
        ("✓ ", "$success"), f"A recovery key counts{made}{teller}  ", (owner.fingerprint[:9], "$text-muted")
    )


def _none(seen: NameOwnership) -> Content:
    return Content.assemble(("⚠ ", "$warning"), _NONE_YET if seen.is_pending else _NONE)
