"""Who somebody is, how to make sure of it, and what may be done about them."""

from collections.abc import Awaitable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Button, Static

from xirtam_core.chat import Chat
from xirtam_core.names import Username
from xirtam_core.people import Contact, SafetyCode, Standing
from xirtam_tui.actions import Scope, bindings
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain
from xirtam_tui.moments import Clock, span
from xirtam_tui.running import running_app
from xirtam_tui.screens.person.digits import rows
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet
from xirtam_tui.widgets.words import Words

_LONGEST_PETNAME = 64
_STANDINGS = {
    Standing.CONTACT: "contact",
    Standing.REQUEST: "asks to write to you",
    Standing.BLOCKED: "blocked: nothing they write is kept",
}
_HOW = "Compare it with what their xirtam shows, face to face or by telephone. The same digits mean that nobody is between you."


class PersonSheet(Sheet[None]):
    """Shows a person; verifies, renames, blocks, accepts, and deletes their chat."""

    AUTO_FOCUS = "#leave"
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("person.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.PERSON)

    def __init__(self, bridge: Bridge, chat: Chat, name: Username, clock: Clock) -> None:
        super().__init__()
        self.heading = name
        self._bridge, self._chat, self._name, self._clock = bridge, chat, name, clock
        self._person: Contact | None = None
        self._code: SafetyCode | None = None

    def compose_body(self) -> ComposeResult:
        yield Words(id="person")
        yield Static("", id="changed", markup=False)
        yield Static("Safety code of you two", id="code-label", markup=False)
        yield Static("asking the directory…", id="code", markup=False)
        yield Static(_HOW, id="how", markup=False)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Mark verified", "verify")
        yield self.button("QR", "picture")
        yield self.button("Name", "rename")
        yield self.button("Mute", "mute")
        yield self.button("Block", "block")
        yield self.button("Delete", "delete")
        yield self.button("Close", "leave", primary=True)

    def on_mount(self) -> None:
        self.run_worker(self._look(), group="look", exclusive=True)

    async def _look(self) -> None:
        try:
            self._person = await self._bridge.people.contact(self._name)
            self._show_person()
            self._code = await self._bridge.people.safety_code(self._name)
        except Exception as error:
            if self._code is None:
                self.query_one("#code", Static).update("not to be had just now")
            self._say(explain(error).text, "failed")
        else:
            self._show_code(self._code)
            self._show_person()

    def _show_person(self) -> None:
        person, code = self._person, self._code
        if person is None:
            return
        is_verified = person.verified and (code is None or code.verified)
        seal = ("✓ verified", "$success") if is_verified else ("not verified", "$text-muted")
        parts = [Content.styled(person.petname, "bold")] if person.petname else []
        parts += [Content.styled(*seal), Content.styled(_STANDINGS[person.standing], "$text-muted")]
        if person.server is not None:
            parts.append(Content.styled(f"at {person.server}", "$text-muted"))
        parts += [Content.styled("muted", "$text-muted")] if self._chat.is_muted else []
        if person.display_name:
            parts.append(Content.styled(f"calls themselves “{person.display_name}”", "$text-muted"))
        words = Content.styled(" · ", "$text-muted").join(parts)
        if person.alarm is not None:
            words = Content("\n").join([words, Content.styled(f"⚠ {person.alarm}", "$error")])
        self.query_one("#person", Static).update(words)
        undo, do = "Not verified", "Mark verified"
        self.query_one("#verify", Button).label = "Compare" if person.alarm else undo if is_verified else do
        self.query_one("#block", Button).label = "Block" if person.standing is Standing.CONTACT else "Accept"
        self.query_one("#mute", Button).label = "Unmute" if self._chat.is_muted else "Mute"
        for button in ("#verify", "#mute", "#block"):
            self.query_one(button).refresh(layout=True)

    def _show_code(self, code: SafetyCode) -> None:
        self.query_one("#code", Static).update(
            Content("\n").join(Content.styled(row, "bold") for row in rows(code.digits))
        )
        words = "No change of their devices has been seen"
        if code.devices_changed_s is not None:
            words = f"Their devices last changed {span(self._clock().timestamp() - code.devices_changed_s)} ago"
        self.query_one("#changed", Static).update(words)

    # What a person does

    def action_verify(self) -> None:
        self.run_worker(self._verify(), group="doing", exclusive=True)

    async def _verify(self) -> None:
        person, code = self._person, self._code
        if person is not None and person.alarm is not None:
            from xirtam_tui.screens.identity.identity import IdentityChanged

            await running_app(self).push_screen_wait(IdentityChanged(self._bridge, self._name, person.alarm))
            await self._look()
        elif code is not None:
            verified = not code.verified
            if verified and not await self._agrees(
                f"Are {self._name}'s digits the same as yours?",
                "Look at both screens, or read the digits to each other by telephone. What was not compared is not verified.",
                yes="They are the same",
                no="Not compared",
            ):
                return
            done = "You have compared the code: it was the same." if verified else "They count as not verified."
            await self._try(self._bridge.people.set_verified(self._name, verified), done)

    async def action_picture(self) -> None:
        if self._code is not None:
            from xirtam_tui.screens.qr.qr import QrSheet

            await running_app(self).push_screen(QrSheet(f"The safety code of you and {self._name}", self._code.text))

    def action_rename(self) -> None:
        self.run_worker(self._rename(), group="doing", exclusive=True)

    async def _rename(self) -> None:
        from xirtam_tui.screens.ask.ask import Ask

        before = (self._person.petname if self._person is not None else None) or ""
        question = Ask(
            f"What do you call {self._name}?",
            "Only you and your devices see this. Leave it empty to take it away.",
            yes="Keep",
            value=before,
            longest=_LONGEST_PETNAME,
        )
        chosen = await running_app(self).push_screen_wait(question)
        if chosen is not None:
            await self._try(self._bridge.people.set_petname(self._name, chosen or None), "Kept.")

    def action_mute(self) -> None:
        self.run_worker(self._mute(), group="doing", exclusive=True)

    async def _mute(self) -> None:
        muted = not self._chat.is_muted

        async def turn() -> None:
            self._chat = await self._bridge.preferences.arrange(self._chat.id, muted=muted)

        await self._try(
            turn(), "What they write does not notify you." if muted else "What they write notifies you again."
        )

    def action_block(self) -> None:
        self.run_worker(self._block(), group="doing", exclusive=True)

    async def _block(self) -> None:
        if self._person is not None and self._person.standing is not Standing.CONTACT:
            await self._try(self._bridge.people.accept(self._name), f"{self._name} is a contact.")
        elif await self._agrees(
            f"Block {self._name}?",
            "What they write from now on is not kept, and they are not told. What was said stays, out of the list.",
            yes="Block",
            no="Do not block",
        ):
            await self._try(self._bridge.people.block(self._name), f"{self._name} is blocked.")

    def action_delete(self) -> None:
        self.run_worker(self._delete(), group="doing", exclusive=True)

    async def _delete(self) -> None:
        words = (
            "Every message in it goes from this device, for good, and nobody is told. Your other devices keep theirs."
        )
        if not await self._agrees(f"Delete the chat with {self._name}?", words, yes="Delete", no="Keep it"):
            return
        try:
            await self._bridge.people.forget(self._name)
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            self.dismiss(None)

    async def _agrees(self, heading: str, explanation: str, *, yes: str, no: str) -> bool:
        from xirtam_tui.screens.confirm.confirm import Confirm

        return bool(await running_app(self).push_screen_wait(Confirm(heading, explanation, yes=yes, no=no)))

    async def _try(self, work: Awaitable[None], done: str) -> None:
        try:
            await work
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            self._say(done, "good")
            await self._look()

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        for name in ("good", "failed"):
            answer.set_class(tone == name, name)
