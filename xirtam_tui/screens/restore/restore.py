"""Making an account of this machine from a backup (docs/data.md)."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.types import CSSPathType
from textual.widgets import Input, Static

from xirtam_core.names import Username
from xirtam_tui.bridge import Engines
from xirtam_tui.failures import explain
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

_LONGEST_PATH = 4096


class RestoreSheet(Sheet[Username]):
    """Gives the name of the account that is on this machine now."""

    heading = "Restore a backup"
    explanation = (
        "It is the same device again. Do not go on using it where the backup comes from: each of the two would miss messages that "
        "only the other can read."
    )
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).parents[1] / "backup" / "backup.tcss")]

    def __init__(self, data_dir: Path, engines: Engines) -> None:
        super().__init__()
        self._data_dir, self._engines = data_dir, engines
        self._is_working = False

    def compose_body(self) -> ComposeResult:
        yield Static("The backup's file", classes="label")
        yield Input(placeholder="~/xirtam-alice-2026-11-24.backup", compact=True, id="path", max_length=_LONGEST_PATH)
        yield Static("Its passphrase", classes="label")
        yield Input(password=True, compact=True, id="passphrase")
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Restore", "restore", primary=True)
        yield self.button("Back", "leave")

    @on(Input.Submitted, "#path")
    def _next_field(self) -> None:
        self.focus_next()

    @on(Input.Submitted, "#passphrase")
    def action_restore(self) -> None:
        """Restores it, if all is there."""
        path, passphrase = (self.query_one(each, Input).value for each in ("#path", "#passphrase"))
        if self._is_working:
            return
        if not path.strip():
            self._refuse("path", "Say where the backup is.")
        elif not passphrase:
            self._refuse("passphrase", "Type the passphrase that it was made with.")
        else:
            self._is_working = True
            self._say("Reading it…")
            self.run_worker(self._restore(Path(path.strip()).expanduser().absolute(), passphrase), group="restore")

    async def _restore(self, file: Path, passphrase: str) -> None:
        try:
            name = await self._engines.restore(self._data_dir, file, passphrase)
        except Exception as error:
            failure = explain(error)
            self._say(f"✗ {failure.title}: {failure.text}", "failed")
        else:
            self.dismiss(name)
        finally:
            self._is_working = False

    def action_leave(self) -> None:
        """Leaves, but not in the midst of it."""
        if not self._is_working:
            self.dismiss(None)

    def _refuse(self, field: str, why: str) -> None:
        self._say(f"✗ {why}", "failed")
        self.query_one(f"#{field}").focus()

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.set_class(tone == "failed", "failed")
