"""Logs: one line an event on standard error, for people or as JSON. What is logged holds no names, tokens or addresses."""

import json
import logging
import sys
import time
from enum import StrEnum

import msgspec


class LogLevel(StrEnum):
    """From which level on things are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged, to standard error: never names, tokens or addresses."""

    level: LogLevel = LogLevel.WARNING
    """From which level on: debug, info, warning or error. `debug` has a line for each call."""
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
    """Sends all logging to standard error."""
    output = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    output.setFormatter(_JsonFormatter() if settings.as_json else text)
    logging.basicConfig(level=settings.level.upper(), handlers=[output], force=True)
    logging.getLogger("asyncio").setLevel(max(logging.WARNING, logging.getLogger().level))
