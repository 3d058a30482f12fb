"""What is said around a transcript: who it is with, how one stands with them, and what to do about that."""

from textual.content import Content

from xirtam_core.chat import Chat
from xirtam_core.groups import Group, GroupState
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_tui.emoji_names import shown
from xirtam_tui.keymap import Keymap

_LONGEST_TITLE = 40


def title(chat: Chat, *, is_narrow: bool) -> Content:
    """The line above a chat: its name and seal, and beside it the server and, of a group, how many are in it and what it is about."""
    back = "‹ " if is_narrow else ""
    name = Content.styled(shown(chat.title), "bold").truncate(_LONGEST_TITLE, ellipsis=True)
    # The seal stands right beside the name that it is about, where nothing that others make up can take its place.
    seal = ("  ✓ verified" if chat.verified and chat.alarm is None else "", "$success")
    called = Content.styled(f"  {shown(chat.petname)}" if chat.petname else "").truncate(_LONGEST_TITLE, ellipsis=True)
    if not chat.petname and chat.display_name:
        called = Content.styled(f"  “{shown(chat.display_name)}”", "$text-muted")
    return Content.assemble((back, "$accent"), name, seal, called, (_beside(chat), "$text-muted"))


def standing_words(chat: Chat, keys: Keymap) -> str:
    """How this account stands with the person or group, and what can be done; empty where there is nothing to say."""
    label = keys.label
    accept, delete = f"{label('chat.accept')} accept", f"{label('chat.forget')} delete"
    if chat.group is not None:
        return _group_words(chat.group, keys, accept, delete)
    if chat.standing is Standing.REQUEST:
        words = f"{chat.peer} is not among your contacts, and is not told whether you read this."
        return f"{words}\n{accept} · {label('chat.block')} block · {delete}"
    if chat.standing is Standing.BLOCKED:
        return f"{chat.peer} is blocked: what they write is not kept.\n{accept} · {delete}"
    return ""


def beginning(chat: Chat, me: Username) -> str:
    """What stands above the first message. Reading begins a little before an invitation, whose clock may be another."""
    if chat.group is not None and chat.group.invited_by is None:
        return "This is where the group begins for you. Only members can read what is said here."
    if chat.group is not None:
        return "This is from about when you were invited. What is older, only those have who were members then."
    if chat.peer == me:
        return "These are your notes to yourself. Your devices have them, and nobody else can read them."
    return f"This is the beginning of your chat with {chat.peer}. Only the two of you can read it."


def nothing_said(chat: Chat) -> str:
    """What stands in a chat without any message."""
    if chat.group is not None and chat.group.state is GroupState.INVITED:
        return "What is said in the group shows here once you have accepted."
    readers = "members" if chat.group is not None else str(chat.peer)
    return f"Nothing said yet. What you write here, only {readers} can read."


def _group_words(group: Group, keys: Keymap, accept: str, delete: str) -> str:
    match group.state:
        case GroupState.INVITED:
            words = f"{group.invited_by} invites you into this group on {group.server}. Its members see your name once you accept."
            return f"{words}\n{accept} · {keys.label('chat.forget')} decline"
        case GroupState.JOINING:
            return f"Accepted. You are in as soon as {group.server} answers."
        case GroupState.LEAVING:
            return f"You are leaving: the group is told as soon as {group.server} answers."
        case GroupState.LEFT:
            return f"You have left this group. What was said stays here.\n{delete}"
        case GroupState.BANNED:
            return f"You are banned from this group. What was said before stays here.\n{delete}"
        case GroupState.MEMBER:
            return _member_words(group, keys.label("chat.group"))


def _member_words(group: Group, who_asks: str) -> str:
    words: list[str] = []
    if group.is_refused:
        words.append(f"{group.server} lets this account in no more: you may have been banned.")
    if group.name_alarm is not None:
        words.append(f"{group.name_alarm}. Tell nobody to join by that name, and ask the admins.")
    if group.asking:
        words.append(f"{group.asking} ask{'s' if group.asking == 1 else ''} to be let in: {who_asks} shows who.")
    if group.waiting:
        words.append(f"{group.waiting} message{'' if group.waiting == 1 else 's'} wait for the group's next key.")
    if not group.may_post:
        words.append("Only admins write here.")
    return "\n".join(words)


def _beside(chat: Chat) -> str:
    group = chat.group
    if group is None:
        return f"  {chat.server}" if chat.server else ""
    members = f"  {group.members} member{'' if group.members == 1 else 's'}" if group.members else ""
    about = f"  {group.description.splitlines()[0]}" if group.description.strip() else ""
    name = f"  {group.directory_name}" if group.directory_name else ""
    return f"{members}{name}  {group.server}{about}"
