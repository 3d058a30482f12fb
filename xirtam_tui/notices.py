"""Notices in the corner of the screen: one takes the place of those before it that say the same, or what is true no more."""

from textual.notifications import Notification

from xirtam_tui import settings

_HOW_THINGS_STAND = {settings.THEME.label}
"""The titles of notices of which only the latest is true. Other titles are kinds: two alarms, say, are two."""


class Notices:
    """The notices that may show."""

    def __init__(self) -> None:
        self._shown: list[Notification] = []

    def take(self, notice: Notification) -> list[Notification]:
        """Takes in a notice; gives those whose place it takes."""
        standing = [each for each in self._shown if not each.has_expired]
        replaced = [each for each in standing if _replaces(notice, each)]
        self._shown = [each for each in standing if each not in replaced] + [notice]
        return replaced


def _replaces(notice: Notification, before: Notification) -> bool:
    is_same = notice.message == before.message or notice.title in _HOW_THINGS_STAND
    return notice.title == before.title and is_same
