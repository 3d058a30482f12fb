"""Who owns the account's name in the directory, and changing that (docs/recovery.md)."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.types import CSSPathType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from xirtam_core.devices import NameOwnership, OwnerKey, OwnerKind
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain, sentence
from xirtam_tui.running import running_app
from xirtam_tui.screens.confirm.confirm import Confirm
from xirtam_tui.screens.owners.following import Following
from xirtam_tui.screens.owners.rows import facts, powerless, row, whose
from xirtam_tui.screens.sheet.one_thing import OneThing
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet
from xirtam_tui.widgets.button_rows import ButtonRows
from xirtam_tui.widgets.facts import Facts

_LABEL = 13
_OWN_KEY = (
    "This device's own key cannot be removed here, as it could change nothing more then. k puts a new key in its place."
)


class OwnersSheet(Sheet[None]):
    """Lists the keys, and adds, removes and replaces them. The directory is told behind the sheet, which may be closed."""

    heading = "Who owns your name"
    explanation = "Whoever has one of these keys can make your name lead elsewhere."
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("owners.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add", show=False),
        Binding("x", "remove", "Remove", show=False),
        Binding("k", "rotate", "New key", show=False),
        Binding("c", "claim", "Claim", show=False),
        Binding("r", "recovery_key", "Recovery key", show=False),
    ]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._seen: NameOwnership | None = None
        self._begun = OneThing(self, self.heading, self._say)

    def compose_body(self) -> ComposeResult:
        yield OptionList(id="hits", compact=True)
        yield Facts(_LABEL, id="facts")
        with ButtonRows(id="on-key"):
            yield self.button("Remove x", "remove")
            yield self.button("New key for this device k", "rotate")
        yield Following(self._bridge)
        yield Static("Asking the directory…", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Claim with recovery key c", "claim", primary=True)
        yield self.button("Add device a", "add", primary=True)
        yield self.button("Recovery key r", "recovery_key")
        yield self.button("Close", "leave")

    def on_mount(self) -> None:
        for hidden in ("#claim", "#add", "#recovery_key", "#on-key"):
            self.query_one(hidden).display = False
        self.query_one(OptionList).focus()
        self.run_worker(self._first_look(), group="looking")

    async def _first_look(self) -> None:
        if (seen := await self._look()) is not None:
            self._say("" if seen.is_owner else powerless(seen), "" if seen.is_owner else "alert")
            if seen.trouble is not None and not seen.is_pending:
                self._say(f"The last change came to nothing: {sentence(seen.trouble)}", "failed")

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
        chosen, self._seen = self._chosen(), seen
        self.query_one("#heading", Static).update(f"Who owns {seen.name}")
        hits = self.query_one(OptionList)
        hits.clear_options()
        hits.add_options(Option(row(each), id=each.key) for each in seen.owners)
        if seen.owners:
            keys = [each.key for each in seen.owners]
            hits.highlighted = keys.index(chosen.key) if chosen is not None and chosen.key in keys else 0
        self._show_chosen()
        self.query_one("#claim").display = not seen.is_owner
        for each in ("#add", "#on-key", "#recovery_key"):
            self.query_one(each).display = seen.is_owner
        self.query_one(Following).follow(seen)

    def on_option_list_option_highlighted(self) -> None:
        self._show_chosen()

    def _show_chosen(self) -> None:
        owner = self._chosen()
        self.query_one(Facts).show(() if owner is None else facts(owner))

    def _chosen(self) -> OwnerKey | None:
        option = self.query_one(OptionList).highlighted_option
        owners = () if self._seen is None else self._seen.owners
        return next((each for each in owners if option is not None and each.key == option.id), None)

    async def on_following_ended(self, event: Following.Ended) -> None:
        if await self._look() is None:
            return
        if event.trouble is None:
            self._say("The directory has logged it.", "good")
        else:
            self._say(f"It came to nothing: {sentence(event.trouble)}", "failed")

    # What a person does

    def _may_change(self) -> NameOwnership | None:
        """What there is, where this device can change it; else says who can, and looks again where that is not known."""
        if self._seen is None:
            self.run_worker(self._first_look(), group="looking", exclusive=True)
        elif not self._seen.is_owner:
            self._say(powerless(self._seen), "failed")
            return None
        return self._seen

    def action_add(self) -> None:
        if (seen := self._may_change()) is not None:
            self._begun.begin(lambda: self._add(seen))

    async def _add(self, seen: NameOwnership) -> None:
        from xirtam_tui.screens.owners.choosing import ChooseDevice

        try:
            devices = await self._bridge.devices.devices()
        except Exception as error:
            self._begun.tell(explain(error).text, "failed")
            return
        owners = {each.device for each in seen.owners}
        others = [each for each in devices if not (each.is_this or each.is_revoked or each.id in owners)]
        if not others:
            self._begun.tell("You have no other device that could be an owner.")
            return
        chosen = await running_app(self).push_screen_wait(ChooseDevice(others))
        if chosen is not None:
            await self._change(lambda: self._bridge.owners.add_device(chosen.id))

    def action_remove(self) -> None:
        owner = self._chosen()
        if self._may_change() is None or owner is None:
            return
        if owner.kind is OwnerKind.THIS_DEVICE:
            self._say(_OWN_KEY, "failed")
        else:
            self._begun.begin(lambda: self._remove(owner))

    async def _remove(self, owner: OwnerKey) -> None:
        words = f"Its fingerprint is {owner.fingerprint}. It can change nothing about your name any more, once that is logged."
        if owner.kind is OwnerKind.RECOVERY:
            words = "The paper is worth nothing then. Without one, an account whose devices are all lost is lost."
        question = Confirm(f"Take the power of {_named(owner)} away?", words, yes="Remove", no="Keep it")
        if await running_app(self).push_screen_wait(question):
            await self._change(lambda: self._bridge.owners.remove(owner.key))

    def action_rotate(self) -> None:
        seen = self._may_change()
        if seen is not None and seen.is_pending:
            self._say("A change is still being made: wait for it.")
        elif seen is not None:
            self._begun.begin(self._rotate)

    async def _rotate(self) -> None:
        words = "The new key is added first, and then the old one is removed. Do this if somebody may have copied the old one."
        question = Confirm("Have this device own your name by a new key?", words, yes="New key", no="Leave it")
        if await running_app(self).push_screen_wait(question):
            await self._change(self._bridge.owners.rotate)

    def action_claim(self) -> None:
        if self._seen is not None and self._seen.is_owner:
            self._say("This device owns your name already.")
        else:
            self._begun.begin(self._claim)

    async def _claim(self) -> None:
        from xirtam_tui.screens.recovery_key.type_key import TypeKey

        words = "Type the key from the paper. It signs once that this device may own your name, and is not kept."
        key = await running_app(self).push_screen_wait(TypeKey("Make this device an owner", words, yes="Claim"))
        if key is not None:
            await self._change(lambda: self._bridge.owners.claim(key))

    async def action_recovery_key(self) -> None:
        from xirtam_tui.screens.recovery_key.recovery_key import RecoveryKeySheet

        await running_app(self).push_screen(RecoveryKeySheet(self._bridge), lambda _: self._come_back())

    def _come_back(self) -> None:
        self.run_worker(self._look(), group="looking")

    async def _change(self, change: Callable[[], Awaitable[NameOwnership]]) -> None:
        self._begun.tell("Asking the directory…")
        try:
            seen = await change()
        except Exception as error:
            self._begun.tell(explain(error).text, "failed")
            return
        self._begun.tell("")
        if self._begun.is_shown:
            self._show(seen)

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.display = bool(words)
        for each in ("good", "failed", "alert"):
            answer.set_class(tone == each, each)


def _named(owner: OwnerKey) -> str:
    return "this unknown key" if owner.kind is OwnerKind.UNKNOWN else whose(owner).removesuffix(", on paper")
