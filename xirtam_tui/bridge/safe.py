"""The engine's values with their texts fit for a terminal (`text.py`): people, servers and the directory have written those."""

import msgspec

from xirtam_core.chat import Chat, DraftEdit, Message, Status
from xirtam_core.groups import Group
from xirtam_core.home_move import HomeMove
from xirtam_tui import text

_NAME, _SAID = 80, 240

_SIGNS = str.maketrans("", "", "✓✔☑✅🗸⚠“”")


def safe_message(message: Message) -> Message:
    """`message` with its text fit for a terminal."""
    return msgspec.structs.replace(
        message,
        text=text.body(message.text),
        mime=text.line(message.mime),
        failure=None if message.failure is None else text.brief(message.failure, _SAID),
        quote=None if message.quote is None else text.line(message.quote),
        reactions=tuple(msgspec.structs.replace(each, emoji=text.line(each.emoji)) for each in message.reactions),
    )


def safe_chat(chat: Chat) -> Chat:
    """`chat` with its texts fit for a terminal."""
    return msgspec.structs.replace(
        chat,
        last=None if chat.last is None else safe_message(chat.last),
        draft=text.body(chat.draft),
        draft_edit=None if (edit := chat.draft_edit) is None else DraftEdit(edit.message, text.body(edit.text)),
        petname=None if chat.petname is None else text.brief(chat.petname, _NAME),
        display_name=safe_display_name(chat.display_name),
        alarm=None if chat.alarm is None else text.brief(chat.alarm, _SAID),
        group=None if chat.group is None else safe_group(chat.group),
    )


def safe_display_name(name: str | None) -> str | None:
    """What somebody calls themselves, fit for a terminal and without the signs that tell what this app says of people from that."""
    return None if name is None else text.brief(name.translate(_SIGNS), _NAME).strip() or None


def safe_group(group: Group) -> Group:
    """`group` with its texts fit for a terminal."""
    return msgspec.structs.replace(
        group,
        name=text.brief(group.name, _NAME),
        description=text.brief(group.description, _SAID),
        name_alarm=None if group.name_alarm is None else text.brief(group.name_alarm, _SAID),
    )


def safe_status(status: Status) -> Status:
    """`status` with its texts fit for a terminal."""
    return msgspec.structs.replace(
        status,
        detail=text.brief(status.detail, _SAID),
        alarm=None if status.alarm is None else text.brief(status.alarm, _SAID),
    )


def safe_home_move(move: HomeMove) -> HomeMove:
    """`move` with its texts fit for a terminal."""
    return msgspec.structs.replace(move, trouble=None if move.trouble is None else text.brief(move.trouble, _SAID))
