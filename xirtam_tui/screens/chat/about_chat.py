"""The details pane: what is known of the chat that is open.

What the list knows of a chat shows at once. The rest is asked of the engine once a chat has stayed open for a moment, and again when
an event tells that it may have changed; never for a message as such, never while nobody sees it, and seldom where it takes long.
"""

import logging
from collections.abc import Callable
from time import monotonic

import msgspec
from textual.timer import Timer
from textual.worker import Worker

from xirtam_core.chat import Chat, MessageKind
from xirtam_core.errors import XirtamError
from xirtam_core.groups import GroupState
from xirtam_tui.bridge import Batch, Bridge
from xirtam_tui.keymap import Keymap
from xirtam_tui.moments import Clock
from xirtam_tui.screens.chat.about_group import KnownGroup, group_lines
from xirtam_tui.screens.chat.about_person import KnownPerson, own_lines, person_lines
from xirtam_tui.widgets.about import About
from xirtam_tui.widgets.about.lines import Line, paragraph

_logger = logging.getLogger(__name__)
_FIRST_S = 0.3
"""Who only passes by a chat has nobody asked about it."""
_AGAIN_S = 1.0
_SHARE = 20
"""Asking takes one part of the time in so many."""
_NOBODY = "Here stands what is known of whom you write to, once a chat is open."

Known = KnownPerson | KnownGroup | int | None
"""About oneself, how old this device's key is in seconds."""


class AboutChat(About):
    """Shows one chat's details, and keeps them as they are now."""

    def __init__(self, *, clock: Clock, keymap: Keymap) -> None:
        super().__init__(id="details")
        self._clock, self._keys = clock, keymap
        self._bridge: Bridge | None = None
        self._chat: Chat | None = None
        self._known: Known = None
        self._is_stale = False
        self._asking: Worker[None] | None = None
        self._timer: Timer | None = None
        self._pause_s = _AGAIN_S
        self.titles: Callable[[], dict[str, str]] = dict
        """What chats are called, by their ids."""

    def open(self, chat: Chat | None, bridge: Bridge | None) -> None:
        """Shows another chat, or none."""
        if self._timer is not None:
            self._timer.stop()
        self._bridge, self._chat, self._known, self._timer, self._pause_s = bridge, chat, None, None, _AGAIN_S
        self.say(self._all)
        if chat is not None:
            self._ask_in(_FIRST_S)

    def take(self, chat: Chat, batch: Batch) -> None:
        """Takes in what happened to the chat that is shown."""
        before = self._chat
        if before is None or before.id != chat.id:
            return
        self._chat = chat
        said = [each for each in batch.messages.values() if each.chat == chat.id]
        is_other = _shown_of(before) != _shown_of(chat)
        # Announced with nothing new in it: what its list entry does not hold has changed, such as a roster.
        if is_other or any(each.kind is MessageKind.NOTICE for each in said) or (not said and before == chat):
            self._ask_in(self._pause_s)
        if is_other:
            self.say_again()

    @property
    def is_settled(self) -> bool:
        """Whether all that is known shows, as far as anybody sees it."""
        return not self.display or self._chat is None or not (self._is_stale or self._is_asking)

    @property
    def _is_asking(self) -> bool:
        return self._asking is not None and not self._asking.is_finished

    def _all(self, width: int, height: int) -> list[Line]:
        chat, known, bridge = self._chat, self._known, self._bridge
        if chat is None or bridge is None:
            return paragraph(_NOBODY, "muted", width=width, most=6)
        if chat.group is not None:
            of_group = known if isinstance(known, KnownGroup) else None
            return group_lines(chat, chat.group, of_group, bridge.account, self._keys, width=width, height=height)
        if chat.peer == bridge.account:
            return own_lines(chat, known if isinstance(known, int) else None, self._keys, width=width)
        of_person = known if isinstance(known, KnownPerson) else None
        return person_lines(chat, of_person, self.titles(), self._keys, self._clock, width=width)

    # Asking

    def _ask_in(self, seconds: float) -> None:
        self._is_stale = True
        self._set_timer(seconds)

    def _set_timer(self, seconds: float) -> None:
        if self._is_stale and self._timer is None and self.display:
            self._timer = self.set_timer(seconds, self._ask)

    def on_show(self) -> None:
        """Asks for what nobody saw until now."""
        self._set_timer(_FIRST_S)

    def _ask(self) -> None:
        self._timer = None
        if self._chat is not None and self._bridge is not None and self.display:
            self._is_stale = False
            self._asking = self.run_worker(self._learn(self._chat, self._bridge), group="about", exclusive=True)

    async def _learn(self, chat: Chat, bridge: Bridge) -> None:
        begun = monotonic()
        try:
            known = await _asked(chat, bridge)
        except Exception as error:  # what is shown stays; the next change asks again, and the dialog says what is wrong
            _logger.info("details could not be had: %s", type(error).__name__)
            return
        self._pause_s = max(_AGAIN_S, _SHARE * (monotonic() - begun))
        if self._chat is not None and self._chat.id == chat.id:
            self._known = known
            self.say_again()


def _shown_of(chat: Chat) -> tuple[object, ...]:
    """What shows of a chat's list entry; what comes with every message is not among it."""
    group = None if chat.group is None else msgspec.structs.replace(chat.group, waiting=0)
    return chat.petname, chat.verified, chat.alarm, chat.standing, chat.server, chat.is_muted, group


async def _asked(chat: Chat, bridge: Bridge) -> Known:
    if chat.group is not None:
        return await _asked_of_group(chat.id, chat.group.state, chat.group.asking, bridge)
    if chat.peer is None:
        return None
    if chat.peer == bridge.account:
        return (await bridge.status()).medium_key_age_s
    shared = tuple(await bridge.people.shared_groups(chat.peer))
    try:
        code = await bridge.people.safety_code(chat.peer)
    except XirtamError:
        code = None
    return KnownPerson(code, shared)


async def _asked_of_group(group: str, state: GroupState, asking: int, bridge: Bridge) -> KnownGroup | None:
    if state is not GroupState.MEMBER:
        return None
    details = await bridge.groups.details(group)
    requests = tuple(await bridge.groups.requests(group)) if asking else ()
    return KnownGroup(details, requests, tuple(await bridge.groups.pins(group)))
