"""The driver between Textual and the terminal: it keeps columns and keys what they are, and ends when the terminal does."""

import os
import signal
from contextlib import suppress
from typing import IO, Any

from textual import events
from textual.driver import Driver

from xirtam_tui.frame import terminal_frame
from xirtam_tui.hangup import has_hung_up
from xirtam_tui.key_parser import take_the_place_of_textuals
from xirtam_tui.steady import steady


def steady_driver(driver: type[Driver]) -> type[Driver]:
    """`driver`, for a terminal that is written to through `steady` and read by `KeyParser` for as long as it is there."""
    take_the_place_of_textuals()

    class SteadyDriver(driver):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._is_on = self._is_starting = self._has_begun = False
            # The thread that writes is given the file when the app starts; drivers without one write nowhere.
            if (file := getattr(self, "_file", None)) is not None:
                self._file = Forgiving(file)
            terminal_frame.lead_to(super().write)

        def start_application_mode(self) -> None:
            """Textual does this at every signal to go on, which comes also with a hangup, and after a stop that it has not heard of.

            What reads and writes would be there twice then, and the first never end; or read a terminal that is gone, for ever.
            """
            if self._is_starting or has_hung_up():
                return
            if _is_in_background(getattr(self, "fileno", None)):
                os.kill(
                    os.getpid(), signal.SIGSTOP
                )  # until it is called to the fore, which is a signal to go on as well
                return
            self._is_starting = True  # a signal may interrupt what the one before it has begun
            try:
                if self._is_on:
                    self.suspend_application_mode()
                super().start_application_mode()
                self._is_on = True
                if self._has_begun:
                    self._draw_again()
                self._has_begun = True
            finally:
                self._is_starting = False

        def _draw_again(self) -> None:
            """The terminal gives an empty screen to who comes back, and Textual writes no more than has changed since.

            It is asked by a message, since a signal may have interrupted the app anywhere, while it draws for example.
            """

            def refresh() -> None:
                self._app.refresh()

            self.send_message(events.Callback(refresh))

        def stop_application_mode(self) -> None:
            self._is_on = False
            terminal_frame.close_all()
            super().stop_application_mode()

        def write(self, data: str) -> None:
            if not has_hung_up():
                terminal_frame.write(steady(data))

    return SteadyDriver


def _is_in_background(terminal: int | None) -> bool:
    """Whether the shell lets somebody else draw on the terminal: whoever tries is stopped in the middle of it."""
    if terminal is None:
        return False
    try:
        return os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:
        return False


class Forgiving:
    """A terminal that may go: what is written to one that is gone is lost, and the writer goes on.

    The thread that writes would end at the fault. What waits fills a queue then, and whoever adds to that waits for ever.
    """

    def __init__(self, file: IO[str]) -> None:
        self._terminal = file

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._terminal.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._terminal.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)
