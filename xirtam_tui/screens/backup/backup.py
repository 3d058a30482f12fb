"""Writing the whole account to one encrypted file, to be restored on another machine (docs/data.md)."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.types import CSSPathType
from textual.widgets import Input, Static

from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain
from xirtam_tui.moments import Clock
from xirtam_tui.screens.sheet.one_thing import OneThing
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

_LONGEST_PATH = 4096


class BackupSheet(Sheet[None]):
    """Asks where to, and for a passphrase twice; says where it is then, and who can read it."""

    heading = "Back up your account"
    explanation = (
        "One file with all messages, contacts and keys, encrypted with a passphrase. Restored, it is this same device again: do "
        "not go on using both. To have a device more, add one instead."
    )
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("backup.tcss"))]

    def __init__(self, bridge: Bridge, clock: Clock) -> None:
        super().__init__()
        self._bridge = bridge
        self._proposed = f"~/xirtam-{bridge.account.bare}-{clock():%Y-%m-%d}.backup"
        self._begun = OneThing(self, self.heading, self._say)

    def compose_body(self) -> ComposeResult:
        yield Static("A new file", classes="label")
        yield Input(self._proposed, compact=True, id="path", max_length=_LONGEST_PATH, select_on_focus=False)
        yield Static("A passphrase: whoever guesses it has your account", classes="label")
        yield Input(password=True, compact=True, id="passphrase")
        yield Static("The passphrase again", classes="label")
        yield Input(password=True, compact=True, id="again")
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Back up", "write", primary=True)
        yield self.button("Close", "leave")

    @on(Input.Submitted, "#path")
    @on(Input.Submitted, "#passphrase")
    def _next_field(self) -> None:
        self.focus_next()

    @on(Input.Submitted, "#again")
    def action_write(self) -> None:
        """Writes it, if all is there."""
        path, passphrase, again = (self.query_one(each, Input).value for each in ("#path", "#passphrase", "#again"))
        if not path.strip():
            self._refuse("path", "Say where the file is to be.")
        elif not passphrase:
            self._refuse("passphrase", "A backup needs a passphrase.")
        elif passphrase != again:
            self._refuse("again", "The two passphrases are not the same.")
        else:
            self._begun.begin(lambda: self._write(Path(path.strip()).expanduser().absolute(), passphrase))

    async def _write(self, file: Path, passphrase: str) -> None:
        self._begun.tell("Writing it… of a large account, this takes a while.")
        try:
            await self._bridge.keeping.backup(file, passphrase)
        except Exception as error:
            self._begun.tell(explain(error).text, "failed")
            return
        if self._begun.is_shown:
            self._forget()
            self.query_one("#leave").focus()
        words = f"✓ {self._bridge.account} is in {file}. You alone can read the file (mode 0600); without the passphrase, it is lost."
        self._begun.tell(words, "good")

    def _forget(self) -> None:
        for each in self.query(Input):
            if each.password:
                each.value = ""

    def _refuse(self, field: str, why: str) -> None:
        self._say(f"✗ {why}", "failed")
        self.query_one(f"#{field}").focus()

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        for each in ("good", "failed"):
            answer.set_class(tone == each, each)
