"""What the sheets about a group say: its members in rows, its pins, its rules and where it is."""

from textual.content import Content

from xirtam_core.chat import Message
from xirtam_core.group_entry import JoinRequest
from xirtam_core.groups import Group, GroupDetails, GroupMember, Status
from xirtam_core.names import ServerName, Username
from xirtam_tui import text
from xirtam_tui.emoji_names import shown_in

_MOST_PINS = 3
_LONGEST_PIN = 200
_MOST_NAMED = 5
_LONGEST_ALARM, _LONGEST_NOTE = 120, 80
"""Two lines, that nothing be pushed off the sheet; the chat itself shows all of an alarm."""


def members(count: int) -> str:
    """So many members, in words."""
    return f"{count} member{'' if count == 1 else 's'}"


def asking_row(request: JoinRequest) -> Content:
    """Somebody who waits to be let in."""
    note = f"  “{text.brief(request.note, _LONGEST_NOTE)}”" if request.note else ""
    return shown_in(Content.assemble(request.user, ("  asks to be let in", "$accent"), (note, "$text-muted")))


def member_row(member: GroupMember, me: Username) -> Content:
    """Somebody whom the roster names."""
    marks = "admin" if member.is_admin else {Status.PENDING: "invited", Status.BANNED: "banned"}.get(member.status, "")
    you = "  you" if member.name == me else ""
    return Content.assemble(member.name, (you, "$text-muted"), (f"  {marks}" if marks else "", "$accent"))


def possible(chosen: GroupMember | JoinRequest | None, group: Group, me: Username) -> dict[str, str]:
    """What this account may do about somebody: the names of the actions, and what each is called for them."""
    if chosen is None or not group.is_admin:
        return {}
    if isinstance(chosen, JoinRequest):
        return {"let_in": "Let in", "refuse": "Refuse"}
    if chosen.name == me:
        return {}
    match chosen.status:
        case Status.BANNED:
            return {"ban": "Lift the ban"}
        case Status.PENDING:
            return {"ban": "Ban"}
        case Status.ACCEPTED:
            return {"ban": "Ban", "admin": "Not admin" if chosen.is_admin else "Make admin"}


def pinned(pins: list[Message]) -> Content:
    """The latest pins, a line each, and how many more there are; nothing where there is none."""
    rows = [Content.assemble((f"{each.sender.bare}: ", "bold"), _start_of(each)) for each in pins[:_MOST_PINS]]
    more = [Content.styled(f"and {len(pins) - _MOST_PINS} more", "$text-muted")] if len(pins) > _MOST_PINS else []
    return Content("\n").join([Content.styled("Pinned", "$text-muted"), *rows, *more]) if pins else Content("")


def _start_of(message: Message) -> str:
    words = text.line(message.text)
    return "withdrawn" if message.is_withdrawn else words if len(words) <= _LONGEST_PIN else words[:_LONGEST_PIN] + "…"


def rules(details: GroupDetails, home: ServerName | None) -> Content:
    """Who invites and writes, where the group is, and what is wrong with its name in the directory."""
    group = details.group
    muted = ("Muted: nothing that is said here notifies you.",) if group.is_muted else ()
    lines = (_who_may(details), where(group, home), *muted)
    alarm = (
        [Content.styled(f"⚠ {text.brief(group.name_alarm, _LONGEST_ALARM)}", "$warning")] if group.name_alarm else []
    )
    return Content("\n").join([*(Content.styled(each, "$text-muted") for each in lines), *alarm])


def _who_may(details: GroupDetails) -> str:
    match details.who_invites == "admins", details.who_posts == "admins":
        case True, True:
            return "Only admins invite and write."
        case True, False:
            return "Only admins invite, all members write."
        case False, True:
            return "All members invite, only admins write."
        case _:
            return "All members invite and write."


def where(group: Group, home: ServerName | None) -> str:
    """Where the group is, and where it goes."""
    if group.moves_to not in (None, home):
        return f"It is at {group.server}, on its way to {group.moves_to}."
    if group.server == home:
        return f"It is at {group.server}, your server."
    if group.is_moving or group.moves_to is not None:
        return f"It is on its way from {group.server} to your server."
    return f"It is at {group.server}."


def is_here(group: Group, home: ServerName | None) -> bool:
    """Whether the group is at this account's home server, or is being moved there."""
    return group.is_moving or home in (group.moves_to, group.server if group.moves_to is None else None)


def named(people: tuple[Username, ...]) -> str:
    """Some people by name, and how many more there are."""
    more = len(people) - _MOST_NAMED
    return ", ".join(people[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
