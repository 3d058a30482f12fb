"""Moments as people read them: local times, days and ages, short enough for a column.

The clock is a value, not a global, so that pictures and tests can stop it.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present, with its time zone."""

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def system_clock() -> datetime:
    """Now, in the zone of this machine."""
    return datetime.now(UTC).astimezone()


def local(nanoseconds: int) -> datetime:
    """The local time of a Unix time in nanoseconds; the nearest that can be told for one outside the calendar."""
    seconds = min(max(nanoseconds // 1_000_000_000, 0), 253_370_764_800)
    return datetime.fromtimestamp(seconds, UTC).astimezone()


def clock_time(nanoseconds: int) -> str:
    """`12:41`."""
    moment = local(nanoseconds)
    return f"{moment.hour:02}:{moment.minute:02}"


def day(moment: datetime, now: datetime) -> str:
    """The day as a heading: `Today`, `Yesterday`, `Tuesday 24 November`, with the year when it is another."""
    days = (now.date() - moment.date()).days
    if days == 0:
        return "Today"
    if days == 1:
        return "Yesterday"
    year = "" if moment.year == now.year else f" {moment.year}"
    return f"{_DAYS[moment.weekday()]} {moment.day} {_MONTHS[moment.month - 1]}{year}"


def stamp(nanoseconds: int, now: datetime) -> str:
    """A moment in at most six cells: `12:41` today, `Mon` this week, `24 Nov` this year, else the year."""
    moment = local(nanoseconds)
    days = (now.date() - moment.date()).days
    if days <= 0:
        return f"{moment.hour:02}:{moment.minute:02}"
    if days < 7:
        return _DAYS[moment.weekday()][:3]
    if moment.year == now.year:
        return f"{moment.day} {_MONTHS[moment.month - 1][:3]}"
    return str(moment.year)


def date(seconds: int) -> str:
    """The day of a Unix time in seconds: `24 November 2026`."""
    moment = local(seconds * 1_000_000_000)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def span(seconds: float) -> str:
    """How long something takes or took: `12 s`, `3 min`, `2 h`, `5 days`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    if seconds < 36 * 3600:
        return f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86400)} days"
