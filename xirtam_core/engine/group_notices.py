"""What happened to a group, in words, for its transcript. Who did it stands before them."""

from xirtam_core.names import ServerName
from xirtam_core.protocol.group_command import (
    AddAdmin,
    Ban,
    Command,
    InviteAccepted,
    InviteSent,
    Leave,
    MovedHere,
    RemoveAdmin,
    SetDirectoryName,
    SetInfo,
    SetPin,
    SetPolicy,
    Unban,
)


def words(command: Command, server: ServerName) -> str:
    """What the sender of `command` did, where it had an effect, empty for what nobody is to be told. The group is at `server`."""
    match command:
        case InviteAccepted():
            return "joined"
        case Leave():
            return "left"
        case InviteSent(user):
            return f"invited {user}"
        case Ban(user):
            return f"banned {user}"
        case Unban(user):
            return f"lets {user} in again"
        case AddAdmin(user):
            return f"made {user} an admin"
        case RemoveAdmin(user):
            return f"made {user} an admin no more"
        case MovedHere():
            why = f", as {command.origin} is gone" if command.is_gone else ""
            return f"moved the group from {command.origin} to {server}{why}"
        case SetPin(_, pinned):
            return "pinned a message" if pinned else "took a pin off a message"
        case SetDirectoryName(name):
            return f"put the group into the directory as {name}" if name else "took the group out of the directory"
        case SetInfo() | SetPolicy():
            return " and ".join(_changes(command))
        case _:
            return ""


def _changes(command: SetInfo | SetPolicy) -> list[str]:
    if isinstance(command, SetInfo):
        named = (
            []
            if command.name is None
            else [f"named the group “{command.name}”" if command.name else "took the group's name away"]
        )
        described = [] if command.description is None else ["changed the description"]
        pictured = (
            [] if command.avatar is None else ["changed the picture" if command.avatar else "took the picture away"]
        )
        return named + described + pictured
    rules = (("invite", command.who_invites), ("write", command.who_posts))
    return [
        f"lets {'everybody' if who == 'members' else 'only admins'} {what}" for what, who in rules if who is not None
    ]
