"""Changing home servers, as the account's owner sees it (spec: extensions.md, Changing home servers)."""

from enum import StrEnum

import msgspec

from xirtam_core.names import ServerName


class HomeStep(StrEnum):
    """What a move is at, in the order in which it goes."""

    PREPARE = "prepare"
    """Signing in at the new server and publishing a key there."""
    PROFILE = "profile"
    """Taking the profile along."""
    PROVE = "prove"
    """The proof of work that the directory asks for. Until it is done, the move can be undone."""
    AWAIT = "await"
    """The directory has the change, and logs it."""
    TELL = "tell"
    """Telling the account's other devices."""
    SETTLE = "settle"
    """Making the new server this device's home."""
    DONE = "done"
    FAILED = "failed"
    """It was given up, for the reason in `trouble`; the account lives where it lived."""


class HostedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group that lies on the server that is being left. It stays there, unless an admin of it moves it."""

    id: str
    title: str
    is_admin: bool


class HomeOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What a server offers to an account that may move there, and what would come along.

    `registration` is "open", "invite" or "closed", None where it does not say. `most_message_bytes` and `longest_ttl_s` are its
    limits (a time of 0: none), `fragment_quota` the bytes of files it keeps for one user, None where it does not say.
    `can_prepare` says that there is no moment at which messages have nowhere to go. `files` are attachments of this device that are
    copied. `is_old_there` says whether the present server answers. `obstacle` is why the account cannot move there, in a sentence,
    None where it can.
    """

    server: ServerName
    old: ServerName
    software: str
    registration: str | None
    most_message_bytes: int | None
    longest_ttl_s: int | None
    fragment_quota: int | None
    can_prepare: bool
    can_forward: bool
    is_old_there: bool
    groups: tuple[HostedGroup, ...]
    files: int
    obstacle: str | None


class HomeMove(msgspec.Struct, frozen=True, kw_only=True):
    """The account's latest move from one server to another, as this device knows it. Times are Unix seconds.

    `share` and `seconds_left` are of the proof of work, where they can be told. `trouble` is why the last attempt at the present
    step came to nothing (it is tried again), or why the move failed. `can_undo` says whether it can still be taken back. After it
    `files_left` are still to be copied from the old server, which is read until it has been quiet for a week: `is_old_read`.
    """

    server: ServerName
    old: ServerName
    step: HomeStep
    began_s: int
    ended_s: int | None = None
    share: float | None = None
    seconds_left: float | None = None
    trouble: str | None = None
    can_undo: bool = False
    files_left: int = 0
    is_old_read: bool = False

    @property
    def is_under_way(self) -> bool:
        """Whether there is something left to do before the account lives at the new server."""
        return self.step not in (HomeStep.DONE, HomeStep.FAILED)
