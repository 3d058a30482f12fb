"""What is said about messages, as it arrives: edits, withdrawals, reactions and receipts (spec: extensions.md, Control events).

Each names its target by the hash of that event. What comes before its target waits for it. All devices of all who take part come to
the same, in whatever order they hear of it. Only a message's sender can edit or withdraw it, and only its reader acknowledge it.
"""

from xirtam_core.chat import MessageKind, SendState
from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import Hash
from xirtam_core.engine.admission import Admission
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.greeting import Greeting
from xirtam_core.engine.outcome import Outcome
from xirtam_core.events import MessageChanged
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.protocol.control import (
    DELETE,
    EDIT,
    REACTION,
    RECEIPT,
    Edit,
    ReactionBody,
    Receipt,
    Withdrawal,
)
from xirtam_core.protocol.event import Event, is_group
from xirtam_core.protocol.opened import Opened
from xirtam_core.storage import (
    amendments,
    chats,
    earlier_states,
    early_controls,
    hearing,
    messages,
    outbox,
    people,
    reactions,
    receipts,
    revisions,
)
from xirtam_core.storage.database import Database
from xirtam_core.storage.earlier_states import Earlier
from xirtam_core.storage.messages import StoredMessage

Amendment = Edit | Withdrawal | ReactionBody | Receipt

_BODIES: dict[str, type[Amendment]] = {EDIT: Edit, DELETE: Withdrawal, REACTION: ReactionBody, RECEIPT: Receipt}


class Amendments:
    """Applies what is said about messages to them."""

    def __init__(self, database: Database, me: Username, clock: Clock, controls: Controls, greeting: Greeting) -> None:
        self._database = database
        self._me = me
        self._clock = clock
        self._greeting = greeting
        self._admission = Admission(database, me)
        for mime in _BODIES:
            controls.register(mime, self._take, in_groups=mime != RECEIPT)
        controls.when_stored(self._apply_early)

    def apply(self, message: StoredMessage, sender: Username, event: Event, at_ns: int = 0) -> list[StoredMessage]:
        """Does to `message` what `event` says, as far as `sender` may; gives the messages that have changed by it.

        `at_ns` is when a group's server got it: what was before is kept then, for a while.
        """
        is_changed, earlier = False, Earlier(is_withdrawn=True)
        match _BODIES[event.mime].parse(event.body):
            case Edit(text=text) if sender == message.message.sender and message.message.kind in _TEXTS:
                earlier = earlier_states.of_text(self._database, message)
                is_changed = amendments.edit(self._database, message, text, event.sent_at)
            case Withdrawal() if sender == message.message.sender:
                is_changed = amendments.withdraw(self._database, message)
            case ReactionBody(emoji=emoji, remove=remove) if not message.message.is_withdrawn:
                earlier = earlier_states.of_reaction(self._database, message, sender, emoji)
                is_changed = reactions.put(self._database, message.row, sender, emoji, event.sent_at, is_removed=remove)
                if is_changed:
                    revisions.touch(self._database, message.row)
            case Receipt() as receipt if message.message.mine and sender == message.message.chat != self._me:
                return self._acknowledge(message, receipt)
            case _:
                pass
        if is_changed and at_ns:
            earlier_states.keep(self._database, message, sender, at_ns, earlier)
        return [messages.get(self._database, message.row)] if is_changed else []

    def _acknowledge(self, message: StoredMessage, receipt: Receipt) -> list[StoredMessage]:
        is_read = receipt.read is not None and receipt.read.hex() == message.message.id
        if message.message.state is SendState.QUEUED:  # it has come to the peer, and the server's answer got lost
            outbox.message_reached(self._database, message)
            messages.set_state(self._database, message.row, SendState.SENT)
        return receipts.reached(self._database, message, SendState.READ if is_read else SendState.DELIVERED)

    def _take(self, opened: Opened, outcome: Outcome) -> None:
        body = _BODIES[opened.event.mime].parse(opened.event.body)
        if not chats.exists(self._database, opened.chat):
            self._keep_for_archive(opened, _targets(body))
            return
        if not is_group(opened.chat):
            self._admission.check_control(opened)
            self._greeting.heard(opened.sender, outcome)
        for target in _targets(body):
            message = messages.find_in_chat(self._database, opened.chat, target.hex())
            if message is not None:
                _tell(self.apply(message, opened.sender, opened.event, opened.group_ns), outcome)
            else:
                self._keep(opened, target)

    def _keep_for_archive(self, opened: Opened, targets: set[Hash]) -> None:
        """What is said in a chat that this device does not have yet: another may give it the older messages later."""
        if opened.sender == self._me or people.standing(self._database, opened.sender) is Standing.CONTACT:
            for target in targets:
                self._keep(opened, target)

    def _keep(self, opened: Opened, target: Hash) -> None:
        now_s = seconds(self._clock)
        early_controls.keep(self._database, opened.chat, opened.sender, target, opened.event, now_s, opened.group_ns)

    def _apply_early(self, message: StoredMessage, outcome: Outcome) -> None:
        chat, target = message.message.chat, Hash.from_text(message.message.id)
        for sender, event, at_ns in early_controls.take(self._database, chat, target, seconds(self._clock)):
            if at_ns and hearing.is_banned(self._database, chat, sender, at_ns):
                continue
            now = messages.get(self._database, message.row)
            _tell(self.apply(now, sender, event, at_ns), outcome)


_TEXTS = (MessageKind.TEXT, MessageKind.MARKDOWN)


def _targets(body: Amendment) -> set[Hash]:
    if isinstance(body, Receipt):
        return {target for target in (body.delivered, body.read) if target is not None}
    return {body.target}


def _tell(changed: list[StoredMessage], outcome: Outcome) -> None:
    for message in changed:
        outcome.news.append(MessageChanged(message.message))
        outcome.chats.add(message.message.chat)
