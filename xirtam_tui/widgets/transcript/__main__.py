"""The transcript on its own, on a chat of 100,000 messages: `python -m xirtam_tui.widgets.transcript`."""

from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.types import CSSPathType

import xirtam_tui
from xirtam_tui.themes import DARK
from xirtam_tui.widgets.transcript import Transcript
from xirtam_tui.widgets.transcript.sample import SampleHistory, sample_messages


class TranscriptApp(App[None]):
    """Shows one transcript; Ctrl+Q leaves."""

    CSS_PATH: ClassVar[CSSPathType | None] = [
        str(Path(xirtam_tui.__file__).with_name("app.tcss")),
        str(Path(xirtam_tui.__file__).parent / "screens" / "chat" / "chat.tcss"),
    ]

    def compose(self) -> ComposeResult:
        self.register_theme(DARK)
        self.theme = DARK.name
        yield Transcript(id="transcript")

    async def on_mount(self) -> None:
        transcript = self.query_one(Transcript)
        transcript.focus()
        await transcript.open(SampleHistory(sample_messages(100_000)), beginning="This is where it begins.")


if __name__ == "__main__":
    TranscriptApp().run()
