"""What is said in a group's management mailbox (spec: groups.md, Roster; extensions.md, Group commands).

Bodies are JSON, externally tagged: a word, or an object of one field. What does not decode has no effect.
"""

from typing import Any, Final, TypeVar

import msgspec

from xirtam_core.codec import jsontext
from xirtam_core.codec.integers import LATEST
from xirtam_core.codec.primitives import Hash, SigningPublic
from xirtam_core.errors import InvalidName, Malformed
from xirtam_core.groups import Status
from xirtam_core.names import GroupName, ServerName, Username
from xirtam_core.protocol import group_avatar

LONGEST_NAME: Final = 64
LONGEST_DESCRIPTION: Final = 1000
MOST_OWNER_KEYS: Final = 64
MOST_PINS: Final = 20
"""How many messages are pinned; no other is pinned before one of them is not any more."""
_LONGEST_BODY: Final = 64 * 1024
_LONGEST_ARRIVAL: Final = 768 * 1024
MOST_TO_MOVE: Final = 640 * 1024
"""How much a roster that goes along may take, some seventeen thousand people: a few may still be invited before it does."""
_DEEPEST: Final = 16
_MOST_MOVES: Final = 2**31
_WHO: Final = ("members", "admins")


class Command(msgspec.Struct, frozen=True):
    """One thing said about a group."""


class InviteSent(Command, frozen=True):
    """`user` has been invited."""

    user: Username


class InviteAccepted(Command, frozen=True):
    """The sender is in."""


class Leave(Command, frozen=True):
    """The sender is out."""


class Ban(Command, frozen=True):
    """`user` is shut out."""

    user: Username


class Unban(Command, frozen=True):
    """`user` may come in again."""

    user: Username


class AddAdmin(Command, frozen=True):
    """`user` is an admin."""

    user: Username


class RemoveAdmin(Command, frozen=True):
    """`user` is no admin any more."""

    user: Username


class SetInfo(Command, frozen=True):
    """How the group presents itself; what is None stays as it is. `avatar`: see group_avatar.py."""

    name: str | None = None
    description: str | None = None
    avatar: dict[str, Any] | None = None


class MoveServer(Command, frozen=True):
    """The group's mailboxes go on at `server`: nothing that is said behind this in the same mailbox has any effect.

    `stay` is how often the group has moved before, so that what was said once moves it once.
    """

    server: ServerName
    stay: int = 0


Seat = tuple[Username, str, bool]
"""Somebody in a roster: name, status, and whether they are an admin."""


class MovedHere(Command, frozen=True, kw_only=True):
    """The first word at the server that a group has moved to: how it stood when it left `origin` (docs/protocol/group-moves.md).

    `after` is the time, by the group's servers so far, behind which everything at this one comes. `is_gone`: `origin` cannot be
    read any more, and was not told; what was said there after `read` is not in this. `stay` is how often the group has moved.
    """

    origin: ServerName
    stay: int
    after: int
    members: tuple[Seat, ...]
    name: str = ""
    description: str = ""
    avatar: dict[str, Any] | None = None
    who_invites: str = "members"
    who_posts: str = "members"
    pins: tuple[Hash, ...] = ()
    directory_name: str = ""
    owner_keys: tuple[tuple[SigningPublic, Username], ...] = ()
    read: int = 0
    is_gone: bool = False


class SetPolicy(Command, frozen=True):
    """Whether all members, or only admins, may invite and post; what is None stays as it is."""

    who_invites: str | None = None
    who_posts: str | None = None


class SetPin(Command, frozen=True):
    """The message `target` of the group is pinned, for all to find it, or is so no more."""

    target: Hash
    pinned: bool


class SetDirectoryName(Command, frozen=True):
    """The group is called so in the directory, or nothing any more (docs/protocol/named-groups.md)."""

    directory_name: str


class OwnerKey(Command, frozen=True):
    """The sender announces a key, in base64url, with which they may come to own the group's name in the directory."""

    key: str


_WORDS: Final[dict[str, type[Command]]] = {"invite_accepted": InviteAccepted, "leave": Leave}
_ABOUT_SOMEBODY: Final[dict[str, type[InviteSent | Ban | Unban | AddAdmin | RemoveAdmin]]] = {
    "invite_sent": InviteSent,
    "ban": Ban,
    "unban": Unban,
    "add_admin": AddAdmin,
    "remove_admin": RemoveAdmin,
}
_NAMES: Final = {kind: name for name, kind in (*_WORDS.items(), *_ABOUT_SOMEBODY.items())}


def render(command: Command) -> bytes:
    """The command as a body."""
    match command:
        case InviteAccepted() | Leave():
            said: Any = _NAMES[type(command)]
        case InviteSent(user) | Ban(user) | Unban(user) | AddAdmin(user) | RemoveAdmin(user):
            said = {_NAMES[type(command)]: str(user)}
        case SetInfo():
            said = {"set_info": _without_none(command)}
        case MoveServer(server, stay):
            said = {"move_server": {"server": str(server)} | ({"stay": stay} if stay else {})}
        case MovedHere():
            said = {"moved_here": msgspec.to_builtins(command, enc_hook=_written)}
        case SetPin(target, pinned):
            said = {"set_pin": {"target": target.hex(), "pinned": pinned}}
        case SetPolicy():
            said = {"set_policy": _without_none(command)}
        case SetDirectoryName(name):
            said = {"set_directory_name": {"directory_name": str(name)}}
        case OwnerKey(key):
            said = {"owner_key": {"key": key}}
        case _:
            raise AssertionError(f"{type(command).__name__} is no command that is sent")
    return msgspec.json.encode(said)


def parse(raw: bytes) -> Command:
    """The command in a body; raises `Malformed` for what is none, as far as this version knows."""
    if len(raw) > _LONGEST_ARRIVAL or jsontext.is_deeper_than(raw, _DEEPEST):
        raise Malformed("a management message beyond all bounds")
    try:
        said = msgspec.json.decode(raw, type=str | dict[str, Any])
        if isinstance(said, str):
            return _WORDS[said]()
        ((name, about),) = said.items()
        if len(raw) > _LONGEST_BODY and name != "moved_here":
            raise Malformed("a management message beyond all bounds")
        return _about(name, about)
    except (msgspec.MsgspecError, ValueError, KeyError, RecursionError, InvalidName):
        raise Malformed("a management message that says nothing sensible") from None


def _about(name: str, about: Any) -> Command:
    if (kind := _ABOUT_SOMEBODY.get(name)) is not None:
        return kind(Username(_text(about)))
    match name:
        case "set_info":
            return _checked_info(msgspec.convert(about, SetInfo))
        case "move_server":
            return msgspec.convert(about, MoveServer, dec_hook=_name)
        case "moved_here":
            return _checked_arrival(msgspec.convert(about, MovedHere, dec_hook=_name))
        case "set_policy":
            return _checked_policy(msgspec.convert(about, SetPolicy))
        case "set_pin":
            return _pin(msgspec.convert(about, dict[str, Any]))
        case "set_directory_name":
            said = msgspec.convert(about, SetDirectoryName)
            return SetDirectoryName(str(GroupName(said.directory_name)) if said.directory_name else "")
        case "owner_key":
            return OwnerKey(SigningPublic.from_text(msgspec.convert(about, OwnerKey).key).text())
        case _:
            raise Malformed("no management message that is known")


def _pin(about: dict[str, Any]) -> SetPin:
    return SetPin(Hash.from_text(_text(about.get("target"))), msgspec.convert(about.get("pinned"), bool))


def _text(value: Any) -> str:
    return msgspec.convert(value, str)


def _checked_info(info: SetInfo) -> SetInfo:
    if len(info.name or "") > LONGEST_NAME or len(info.description or "") > LONGEST_DESCRIPTION:
        raise Malformed("a group's name or description beyond all bounds")
    if not info.avatar:
        return info
    avatar = group_avatar.find(info.avatar)
    if avatar is None:
        raise Malformed("a group's picture that nobody could show")
    return msgspec.structs.replace(info, avatar=group_avatar.said(avatar.root, avatar.server))  # and nothing else of it


def _name(kind: type, value: Any) -> Any:
    if kind is Hash or kind is SigningPublic:
        return kind.from_text(_text(value))
    return kind(_text(value))


def _written(value: Any) -> str:
    if isinstance(value, Hash):
        return value.hex()
    return value.text() if isinstance(value, SigningPublic) else str(value)


def _checked_arrival(arrival: MovedHere) -> MovedHere:
    info = _checked_info(SetInfo(arrival.name, arrival.description, arrival.avatar))
    _checked_policy(SetPolicy(arrival.who_invites, arrival.who_posts))
    if len(arrival.pins) > MOST_PINS or len(arrival.owner_keys) > MOST_OWNER_KEYS:
        raise Malformed("more pins or keys than a group has")
    if arrival.directory_name:
        GroupName(arrival.directory_name)
    if not 0 < arrival.stay <= _MOST_MOVES or not 0 <= arrival.read <= LATEST:
        raise Malformed("a group that has moved as none can")
    if not 0 <= arrival.after <= LATEST or {status for _, status, _ in arrival.members} - {*Status}:
        raise Malformed("a group that stood as none can")
    return msgspec.structs.replace(arrival, avatar=info.avatar)


def _checked_policy(policy: SetPolicy) -> SetPolicy:
    if not {policy.who_invites, policy.who_posts} <= {None, *_WHO}:
        raise Malformed("a policy that is not known")
    return policy


T = TypeVar("T", SetInfo, SetPolicy)


def _without_none(command: T) -> dict[str, Any]:
    return {name: value for name in command.__struct_fields__ if (value := getattr(command, name)) is not None}
