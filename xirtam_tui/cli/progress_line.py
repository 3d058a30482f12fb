"""How far long work is: one line of a terminal that is drawn anew, or JSON events."""

import sys

from xirtam_core.registration import Progress, RecoveryProgress, RecoveryStep, Step
from xirtam_tui.cli.output import Output


class ProgressLine:
    """Shows steps as they come; where standard error is no terminal and no JSON is wanted, nothing."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._step: str | None = None
        self._is_begun = False

    def show(self, step: str, share: float | None = None, seconds_left: float | None = None) -> None:
        """Shows the present step; `share` (0 to 1) and `seconds_left` where they can be told."""
        is_new, self._step = step != self._step, step
        if self._output.as_json:
            if is_new:
                self._output.event({"event": "progress", "step": step})
        elif sys.stderr.isatty():
            done = "" if share is None else f"  {share:4.0%}"
            left = "" if seconds_left is None else f"  about {seconds_left:.0f} s more"
            self._is_begun = True
            sys.stderr.write(f"\r\x1b[K{step}{done}{left}")
            sys.stderr.flush()

    def registration(self, progress: Progress | RecoveryProgress) -> None:
        """Shows the progress of a registration or a recovery; called in the engine's thread."""
        self.show(progress.step, progress.fraction, progress.seconds_left)
        if progress.step in (Step.DONE, RecoveryStep.DONE) and self._is_begun:
            self._is_begun = False
            sys.stderr.write("\n")

    def end(self) -> None:
        """Leaves the line."""
        if self._is_begun:
            self._is_begun = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
