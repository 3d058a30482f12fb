"""What people say to each other in a storm, and what must have become of it afterwards.

Each text ends with a number of its own, also when it is quoted in front or edited later: by that it is known again wherever it turns
up. A withdrawn message says nothing, so what it said is noted when it is withdrawn.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from tests.sim.power import PowerLost
from tests.sim.world import SimDevice, World
from xirtam_core.chat import Message, MessageKind, SendState
from xirtam_core.errors import NotFound
from xirtam_core.names import Username
from xirtam_core.storage import chats as stored

_EMOJI = ("👍", "🎉", "🌧")
_RECENT = 8


class Said(msgspec.Struct, frozen=True):
    """A numbered message, by whom and to whom, and on which device it was written."""

    author: Username
    peer: Username
    device: int
    number: int


class Talk:
    """Everything that people say and do with what was said, on whichever of their devices is running."""

    def __init__(self, world: World, devices: list[SimDevice]) -> None:
        self.devices = devices
        self.names = sorted({device.name for device in devices})
        self.accepted: dict[int, Said] = {}
        self.unsure: dict[int, Said] = {}
        """What was being written, or discarded, when the power went: it may have been kept, or not."""
        self.discarded: set[int] = set()
        self._chance = world.chance
        self._last_number = 0
        self._numbers: dict[str, int] = {}
        """Of the messages that were withdrawn, by id."""
        self.acts: list[tuple[float, Callable[[], None]]] = [
            (5.0, self.write),
            (1.0, self._reply),
            (1.0, self._edit),
            (1.5, self._react),
            (0.7, self._withdraw),
            (1.0, self._read),
            (0.3, self._name),
        ]

    # What they do

    def write(self) -> None:
        """Somebody writes to somebody, once or several times at once."""
        device = self._chance.choice(self.devices)
        if device.is_running:
            peer = self._chance.choice([name for name in self.names if name != device.name])
            for _ in range(self._chance.choice((1, 1, 1, 3))):
                self._say(device, peer)

    def _say(self, device: SimDevice, peer: Username, reply_to: str | None = None) -> None:
        self._last_number += 1
        said = Said(device.name, peer, self.devices.index(device), self._last_number)
        self.unsure[said.number] = said
        device.engine.conversations.send_text(peer, f"message {said.number}", reply_to=reply_to)
        self.accepted[said.number] = self.unsure.pop(said.number)

    def _reply(self) -> None:
        if (found := self._some_message()) is not None:
            self._say(found[0], Username(found[1].chat), found[1].id)

    def _edit(self) -> None:
        found = self._some_message(is_mine=True)
        if found is not None and found[1].kind is not MessageKind.UNSUPPORTED:
            device, message = found
            self._last_number += 1
            text = f"edit {self._last_number} of {self.number_of(message)}"
            device.engine.conversations.edit(message.chat, message.id, text)

    def _react(self) -> None:
        if (found := self._some_message()) is not None:
            device, message = found
            emoji, remove = self._chance.choice(_EMOJI), self._chance.random() < 0.3
            device.engine.conversations.react(message.chat, message.id, emoji, remove=remove)

    def _withdraw(self) -> None:
        if (found := self._some_message(is_mine=True)) is not None:
            device, message = found
            number = self._numbers[message.id] = self.number_of(message)
            try:
                device.engine.conversations.withdraw(message.chat, message.id)
                device.engine.conversations.message(message.chat, message.id)
            except NotFound:  # it was on no server yet, as far as could be known, and so is gone altogether
                self.accepted.pop(number, None)
                self.discarded.add(number)
            except PowerLost:
                if (said := self.accepted.pop(number, None)) is not None:
                    self.unsure[number] = said
                raise

    def _read(self) -> None:
        device = self._chance.choice(self.devices)
        if device.is_running:
            chat = self._chance.choice(device.engine.conversations.chats())
            if chat.last is not None:
                device.engine.conversations.mark_read(chat.id, chat.last.position)

    def _name(self) -> None:
        device = self._chance.choice(self.devices)
        if device.is_running:
            self._last_number += 1
            peer = self._chance.choice([name for name in self.names if name != device.name])
            device.engine.people.set_petname(peer, f"name {self._last_number}")

    def _some_message(self, *, is_mine: bool = False) -> tuple[SimDevice, Message] | None:
        """A late message of a chat that stands, on some device, as it is there."""
        device = self._chance.choice(self.devices)
        if not device.is_running:
            return None
        chat = self._chance.choice(device.engine.conversations.chats())
        late = device.engine.conversations.history(chat.id, limit=_RECENT).messages
        fit = [
            message
            for message in late
            if not message.is_withdrawn and message.state is not SendState.FAILED and (message.mine or not is_mine)
        ]
        return (device, self._chance.choice(fit)) if fit else None

    def number_of(self, message: Message) -> int:
        """What its text ends with, or did before it was withdrawn."""
        return self._numbers[message.id] if message.is_withdrawn else int(message.text.split()[-1])

    # What must have become of it

    def missing(self) -> list[tuple[int, Said]]:
        """What some device should hold and does not."""
        missing: list[tuple[int, Said]] = []
        for index, device in enumerate(self.devices):
            held = {self.number_of(message) for message in messages_of(device)}
            missing += [
                (index, said)
                for said in self.accepted.values()
                if device.name in (said.author, said.peer) and said.number not in held
            ]
        return missing

    def look_at_what_came_late(self) -> None:
        """People see what came to a place that they had read beyond. Only there may their devices differ: it came late on some."""
        for device in self.devices:
            for chat in device.engine.conversations.chats():
                read_ns = stored.read_up_to_ns(device.database, chat.id)
                if chat.read_up_to < read_ns:
                    device.engine.conversations.mark_read(chat.id, read_ns)

    def disagreements(self) -> list[str]:
        """Where devices differ about what a message says now, what is on it, who is called what, or what has been read."""
        return [*self._about_messages(), *self._about_people()]

    def _about_messages(self) -> list[str]:
        held: dict[int, dict[int, tuple[Any, ...]]] = defaultdict(dict)
        for index, device in enumerate(self.devices):
            for message in messages_of(device):
                held[self.number_of(message)][index] = _as_it_is(message)
        return [f"message {number}: {there}" for number, there in held.items() if len(set(there.values())) > 1]

    def _about_people(self) -> list[str]:
        shown: dict[tuple[Username, str], set[tuple[Any, ...]]] = defaultdict(set)
        for device in self.devices:
            for chat in device.engine.conversations.chats():
                shown[device.name, chat.id].add((chat.petname, chat.unread, chat.read_up_to))
        return [f"{who} with {peer}: {seen}" for (who, peer), seen in shown.items() if len(seen) > 1]

    def check(self) -> None:
        """Every device of every user holds all that was accepted for it, once, in the order of its mailbox, and nothing else.

        And all that hold a message agree about it.
        """
        assert not self.missing()
        known = {(said.author, said.peer, said.number) for said in (*self.accepted.values(), *self.unsure.values())}
        for device in self.devices:
            held = [(each.sender, _receiver(device, each), self.number_of(each)) for each in messages_of(device)]
            assert not [each for each, count in Counter(held).items() if count > 1], "nothing is held twice"
            beyond = {number for *_, number in set(held) - known}
            assert beyond <= self.discarded, "nothing is held that nobody wrote"
            self._check_order(device)
        assert not self._still_shown(), "what was discarded is shown nowhere"
        assert not self.disagreements()

    def _still_shown(self) -> list[int]:
        """Messages that the device they were written on has discarded, and that say something on another."""
        authors = {said.number: said.device for said in self.unsure.values()}
        kept = {
            number: {self.number_of(each) for each in messages_of(self.devices[at])} for number, at in authors.items()
        }
        gone = self.discarded | {number for number in self.unsure if number not in kept[number]}
        return [
            number
            for device in self.devices
            for message in messages_of(device)
            if (number := self.number_of(message)) in gone and not message.is_withdrawn
        ]

    def _check_order(self, device: SimDevice) -> None:
        """The order is the same on all devices of a user, and that of writing for what was written on one device."""
        for peer in self.names:
            if peer == device.name:
                continue
            order = self._order(device, peer)
            for other in self.devices:
                if other.name == device.name:
                    assert self._order(other, peer) == order, f"the devices of {device.name} disagree"
            for index in range(len(self.devices)):
                written = [number for number in order if _is_by(self.accepted.get(number), index)]
                assert written == sorted(written), "a device's words keep their order"

    def _order(self, device: SimDevice, peer: Username) -> list[int]:
        return [self.number_of(message) for message in device.messages(peer)]


def messages_of(device: SimDevice) -> Iterable[Message]:
    """All messages that a device holds."""
    return (message for chat in device.engine.conversations.chats() for message in device.messages(chat.id))


def _as_it_is(message: Message) -> tuple[Any, ...]:
    on_it = frozenset((reaction.emoji, frozenset(reaction.senders)) for reaction in message.reactions)
    return message.text, message.reply_to, message.quote, message.is_edited, message.is_withdrawn, on_it


def _receiver(device: SimDevice, message: Message) -> str:
    return message.chat if message.mine else device.name


def _is_by(said: Said | None, device: int) -> bool:
    return said is not None and said.device == device
