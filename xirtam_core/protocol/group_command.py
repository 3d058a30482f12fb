"""What is said in a group's management mailbox (spec: groups.md, Roster; extensions.md, Group commands).

Bodies are JSON, externally tagged: a word, or an object of one field. What does not decode has no effect.
"""

from typing import Any, Final, TypeVar

import msgspec

from xirtam_core.codec import jsontext
from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.errors import InvalidName, Malformed
from xirtam_core.names import GroupName, ServerName, Username

LONGEST_NAME: Final = 64
LONGEST_DESCRIPTION: Final = 1000
_LONGEST_BODY: Final = 64 * 1024
_DEEPEST: Final = 16
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
    """How the group presents itself; what is None stays as it is. `avatar` is an attachment's root as JSON."""

    name: str | None = None
    description: str | None = None
    avatar: dict[str, Any] | None = None


class MoveServer(Command, frozen=True):
    """The group's mailboxes go on at `server`."""

    server: ServerName


class SetPolicy(Command, frozen=True):
    """Whether all members, or only admins, may invite and post; what is None stays as it is."""

    who_invites: str | None = None
    who_posts: str | None = None


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
        case MoveServer(server):
            said = {"move_server": {"server": str(server)}}
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
    if len(raw) > _LONGEST_BODY or jsontext.is_deeper_than(raw, _DEEPEST):
        raise Malformed("a management message beyond all bounds")
    try:
        said = msgspec.json.decode(raw, type=str | dict[str, Any])
        if isinstance(said, str):
            return _WORDS[said]()
        ((name, about),) = said.items()
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
            return MoveServer(ServerName(_text(msgspec.convert(about, dict[str, Any]).get("server"))))
        case "set_policy":
            return _checked_policy(msgspec.convert(about, SetPolicy))
        case "set_directory_name":
            said = msgspec.convert(about, SetDirectoryName)
            return SetDirectoryName(str(GroupName(said.directory_name)) if said.directory_name else "")
        case "owner_key":
            return OwnerKey(SigningPublic.from_text(msgspec.convert(about, OwnerKey).key).text())
        case _:
            raise Malformed("no management message that is known")


def _text(value: Any) -> str:
    return msgspec.convert(value, str)


def _checked_info(info: SetInfo) -> SetInfo:
    if len(info.name or "") > LONGEST_NAME or len(info.description or "") > LONGEST_DESCRIPTION:
        raise Malformed("a group's name or description beyond all bounds")
    return info


def _checked_policy(policy: SetPolicy) -> SetPolicy:
    if not {policy.who_invites, policy.who_posts} <= {None, *_WHO}:
        raise Malformed("a policy that is not known")
    return policy


T = TypeVar("T", SetInfo, SetPolicy)


def _without_none(command: T) -> dict[str, Any]:
    return {name: value for name in command.__struct_fields__ if (value := getattr(command, name)) is not None}
