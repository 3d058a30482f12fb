"""Tells systemd how the server is, where it was started by it with `Type=notify` (sd_notify): a datagram with a word each time."""

import asyncio
import os
import socket


class ServiceManager:
    """Whoever started this process and wants to know; nobody, mostly."""

    def __init__(self) -> None:
        # Taken out of the environment, as it is not for processes that this one starts.
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        watchdog_us = os.environ.pop("WATCHDOG_USEC", "")
        is_for_us = os.environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watchdog_s = int(watchdog_us) / 1e6 if watchdog_us.isdigit() and is_for_us else 0.0

    def say(self, state: str) -> None:
        """Sends a state, like `READY=1`; one who does not listen any more is not missed."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            try:
                sender.sendto(state.encode(), address)
            except OSError:
                self._address = ""

    async def keep_alive(self) -> None:
        """Says again and again that the event loop turns, if anybody wants to hear it, until cancelled."""
        while self._address and self._watchdog_s:
            self.say("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_s / 3)
