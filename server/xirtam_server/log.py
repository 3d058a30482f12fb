"""Logs: one line an event on standard error, for people or as JSON. What is logged holds no names, tokens or addresses.

The level that is asked for is that of our own lines. Of the libraries' there are warnings and
errors only, whatever is asked for: below that they tell whom they connect to.
"""

import json
import logging
import sys
import time
from enum import StrEnum
from typing import Final

import msgspec

_OURS: Final = ("xirtam_server", "xirtam_core")
_LIBRARIES: Final = ("asyncio", "httpcore", "httpx", "uvicorn", "websockets")
"""Some set a level of their own, or have it set for them: the root's would not count."""


class LogLevel(StrEnum):
    """From which level on things are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged, to standard error: never names, tokens or addresses."""

    level: LogLevel = LogLevel.WARNING
    """From which level on: debug, info, warning or error. `debug` has a line for each call. Libraries say warnings at most."""
    as_json: bool = False
    """Whether lines are JSON."""


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z"
        line = {"time": when, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def set_up(settings: LogSettings) -> None:
    """Sends all logging to standard error: our own from the level that is asked for, others' from warnings on."""
    output = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    output.setFormatter(_JsonFormatter() if settings.as_json else text)
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    others = max(level, logging.WARNING)
    logging.basicConfig(level=others, handlers=[output], force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(others)
    # Its warnings are of a database that cannot be reached, with address and user; the store says so without them.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
