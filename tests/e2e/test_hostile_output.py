"""What the app writes to a terminal while it shows text that is meant to act on it: only what the app itself means."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.tui.hostile import CORPUS

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

_SEQUENCE = re.compile(
    rb"\x1b\[(?P<csi>[0-?]*[ -/]*[@-~])|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)|\x1b(?P<escape>[ -/]*[0-Z\\^-~])"
)
# Colours, the cursor's place and shape, modes, what is asked at the start (keyboard protocol, synchronised output), erasing.
_CSI = re.compile(
    rb"[0-9;:]*m|[0-9;]*[HABCDGJKr]|\?[0-9;]+[hl]|[?<>=][0-9;]*[$a-zA-Z]+|[0-9;]*\$p|\?[0-9;]*\$p|[0-9]* q|[0-9;]*t|6n"
)
_OSC = re.compile(rb"8;[^;]*;(https?://[^\x00-\x20\x7f]*)?|22;[a-z]+|0;xirtam.*|2;xirtam.*")
_CONTROLS = re.compile(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")
_C1 = re.compile(rb"\xc2[\x80-\x9f]")


def test_no_control_byte_leaves_the_app_that_it_did_not_make(tmp_path: Path) -> None:
    written = tmp_path / "written"
    app = Terminal(
        tmp_path / "tmux.sock", "app", [sys.executable, "-m", "tests.tui.hostile"],
        {"PYTHONPATH": ":".join(sys.path), "TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"}, (100, 30),
    )  # fmt: skip
    try:
        app.record(written)
        app.wait_for("connected", "@person00")
        for number in range(len(CORPUS)):
            app.press("C-Down")
            app.wait_for(f"@person{number:02}  ~harbor")
            app.press("C-Home")
        app.press("C-Down")
        app.wait_for("F9 shows who")
        app.press("F9")
        app.wait_for("@zelda")
        app.press("Escape")
        app.press("C-q")
        app.wait_until_gone("connected")
    finally:
        app.end()
    raw = written.read_bytes()
    assert "␛]52;c;UFdORUQ=␇".encode() in raw, "what acts is shown, and does not act"
    for found in _SEQUENCE.finditer(raw):
        if found["csi"] is not None:
            assert _CSI.fullmatch(found["csi"]), found[0]
        elif found["osc"] is not None:
            assert _OSC.fullmatch(found["osc"]), found[0]
        else:
            assert found["escape"] in {b"7", b"8", b"=", b">", b"(B"}, found[0]
    text = _SEQUENCE.sub(b"", raw)
    assert not _CONTROLS.search(text), _CONTROLS.search(text)
    assert not _C1.search(text), _C1.search(text)
