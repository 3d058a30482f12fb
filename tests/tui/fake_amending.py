"""What the engine in memory does about single messages, to the contract of `Conversations`."""

from collections.abc import Callable

import msgspec

from xirtam_core.chat import Chat, Message, Reaction
from xirtam_core.errors import NotFound, Refused, XirtamError
from xirtam_core.events import Event, MessageChanged
from xirtam_core.names import Username


class FakeAmending:
    """Edits, withdrawals, reactions and typing. Set `amend_error` to make them fail."""

    account: Username
    messages: dict[str, list[Message]]
    emit: Callable[[Event], None]
    change_chat: Callable[..., Chat]
    amend_error: XirtamError | None = None

    def __init__(self) -> None:
        self.typing: list[tuple[str, bool]] = []

    async def message(self, chat: str, message_id: str) -> Message:
        return self._find(chat, message_id)

    async def edit(self, chat: str, message_id: str, text: str) -> Message:
        if not self._find(chat, message_id).mine:
            raise Refused("only its author can change a message")
        return self._amend(chat, message_id, text=text, is_edited=True)

    async def withdraw(self, chat: str, message_id: str) -> Message:
        return self._amend(chat, message_id, text="", quote=None, is_withdrawn=True, reactions=())

    async def react(self, chat: str, message_id: str, emoji: str, *, remove: bool = False) -> Message:
        reactions = {each.emoji: each.senders for each in self._find(chat, message_id).reactions}
        others = tuple(sender for sender in reactions.get(emoji, ()) if sender != self.account)
        reactions[emoji] = others if remove else (*others, self.account)
        kept = tuple(Reaction(each, senders) for each, senders in reactions.items() if senders)
        return self._amend(chat, message_id, reactions=kept)

    async def set_typing(self, chat: str, active: bool) -> None:
        self.typing.append((chat, active))

    def _find(self, chat: str, message_id: str) -> Message:
        for message in self.messages[chat]:
            if message.id == message_id:
                return message
        raise NotFound("that chat has no such message")

    def _amend(self, chat: str, message_id: str, **changes: object) -> Message:
        if self.amend_error is not None:
            raise self.amend_error
        said = self.messages[chat]
        at = said.index(self._find(chat, message_id))
        said[at] = msgspec.structs.replace(said[at], **changes)
        self.emit(MessageChanged(said[at]))
        self.change_chat(chat, last=said[-1])
        return said[at]
