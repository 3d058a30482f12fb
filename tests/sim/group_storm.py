"""A storm over a group: its members write, manage it, go and are shut out while everything that can break does (see `storm`).

What must hold when the sky is clear: whoever is in the group has the same roster, and the same messages in the same order, each once;
what a member was promised to send is there; and who was shut out has nothing that was said after that.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tests.sim.faults import Faults
from tests.sim.groups import comes_in, members, shown
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.power import PowerLost
from tests.sim.virtual_time import until
from tests.sim.world import SimDevice, World
from xirtam_core.chat import MessageKind, SendState
from xirtam_core.errors import XirtamError
from xirtam_core.groups import GroupState

_NAMES = ("alice", "bobby", "carol", "davey", "ellen")
_CALM_LIMIT_S = 6 * 3600.0
_OUT = (GroupState.BANNED, GroupState.LEFT)


class Said(msgspec.Struct, frozen=True):
    """A text of a group, and on which device it was written."""

    device: int
    text: str
    id: str


class GroupStorm:
    """One group in bad weather."""

    def __init__(self, world: World, devices: list[SimDevice], group: str) -> None:
        self.world = world
        self.devices = devices
        self.group = group
        self.accepted: list[Said] = []
        self.unsure: set[str] = set()
        self._number = 0
        self._acts: list[tuple[float, Callable[[], None]]] = [
            (6.0, self._write),
            (1.0, self._crash),
            (1.0, self._burn_a_fuse),
            (1.0, self._cut),
            (0.7, self._toggle_server),
            (0.3, self._toggle_directory),
            (0.5, self._make_admin),
            (0.3, self._ban),
            (0.2, self._leave),
            (0.3, self._name),
            (0.5, self._move),
            (0.4, self._rule),
        ]
        self._moves: set[asyncio.Task[None]] = set()

    async def rage(self, steps: int) -> None:
        """Does `steps` things at random, with time in between, now and then an hour or more."""
        acts, weights = [act for _, act in self._acts], [weight for weight, _ in self._acts]
        chance = self.world.chance
        for _ in range(steps):
            for device in self.devices:
                if not device.is_running and chance.random() < 0.4:
                    device.bring_back()
            with contextlib.suppress(PowerLost, XirtamError):  # not everybody may do everything
                chance.choices(acts, weights)[0]()
            await asyncio.sleep(chance.uniform(1800, 6000) if chance.random() < 0.1 else chance.uniform(0, 8))

    # What happens

    def _some(self) -> SimDevice | None:
        device = self.world.chance.choice(self.devices)
        return device if device.is_running else None

    def _write(self) -> None:
        if (device := self._some()) is None:
            return
        self._number += 1
        text = f"message {self._number}"
        self.unsure.add(text)
        try:
            message = device.engine.conversations.send_text(self.group, text)
        except XirtamError:  # it is in the group no more
            self.unsure.discard(text)
            raise
        self.unsure.discard(text)
        self.accepted.append(Said(self.devices.index(device), text, message.id))

    def _crash(self) -> None:
        self.world.chance.choice(self.devices).lose_power()

    def _burn_a_fuse(self) -> None:
        fuse = self.world.chance.choice(self.devices).fuse
        fuse.commits, fuse.is_after = self.world.chance.randrange(8), self.world.chance.random() < 0.5

    def _cut(self) -> None:
        end = self.world.chance.choice(self.devices).end
        end.is_cut = not end.is_cut

    def _toggle_server(self) -> None:
        machine = self.world.chance.choice(list(self.world.machines.values()))
        machine.start() if machine.is_down else machine.stop()

    def _toggle_directory(self) -> None:
        self.world.directory.is_down = not self.world.directory.is_down

    def _make_admin(self) -> None:
        if (device := self._some()) is not None:
            about = self.world.chance.choice(self.devices[1:])
            device.engine.groups.set_admin(self.group, about.name, self.world.chance.random() < 0.8)

    def _ban(self) -> None:
        """The first admin and one more stay, so that there is a group."""
        if (device := self._some()) is not None:
            device.engine.groups.ban(self.group, self.world.chance.choice(self.devices[2:]).name)

    def _leave(self) -> None:
        device = self.world.chance.choice(self.devices[2:])
        if device.is_running:
            device.engine.groups.leave(self.group)

    def _name(self) -> None:
        if (device := self._some()) is not None:
            self._number += 1
            device.engine.groups.set_info(self.group, name=f"group {self._number}")

    def _move(self) -> None:
        """Somebody who may moves the group to their own server, while everything else goes on."""
        device = self.world.chance.choice(self.devices[:2])
        if device.is_running:
            task = asyncio.create_task(_try_to_move(device, self.group))
            self._moves.add(task)
            task.add_done_callback(self._moves.discard)

    def _rule(self) -> None:
        """What is written against it comes back as failed."""
        if (device := self._some()) is not None:
            device.engine.groups.set_policy(self.group, who_posts=self.world.chance.choice(("members", "admins")))

    # Afterwards

    async def calm(self) -> None:
        """Heals everything, and waits until nothing is left to do."""
        for task in self._moves:
            task.cancel()
        faults = self.world.faults
        faults.lost_request = faults.lost_reply = faults.busy = faults.twice = 0.0
        self.world.directory.is_down = False
        for machine in self.world.machines.values():
            machine.start()
        for device in self.devices:
            device.fuse.commits, device.end.is_cut = None, False
            if not device.is_running:
                device.bring_back()
        await asyncio.sleep(120)
        try:
            await until(self._is_settled, "everything is sent and understood", _CALM_LIMIT_S)
        except AssertionError:
            self.check()  # which says more
            raise

    def _inside(self) -> list[SimDevice]:
        """Whoever takes part, as their own device has it; who was shut out before reading so cannot know."""
        found = [device for device in self.devices if shown(device, self.group).state not in _OUT]
        return [device for device in found if not shown(device, self.group).is_refused]

    def _is_settled(self) -> bool:
        if not all(device.is_at_rest() for device in self._inside()):
            return False
        try:
            self.check()
        except AssertionError:
            return False
        return True

    def check(self) -> None:
        """See the module."""
        inside = self._inside()
        first = inside[0]
        roster = members(first, self.group)
        for device in inside:
            assert not device.has_failed, f"the engine of {device.name} has ended by itself"
            assert members(device, self.group) == roster, f"{device.name} has another roster than {first.name}"
            assert self._held(device) == self._held(first), f"{device.name} holds other messages than {first.name}"
            assert shown(device, self.group).waiting == 0
        held = self._held(first)
        assert len(held) == len(set(held)), "nothing is held twice"
        assert set(held) <= {said.text for said in self.accepted} | self.unsure, "nothing is held that nobody wrote"
        names = {device.name for device in inside}
        for index, device in enumerate(self.devices):
            own = [said for said in self.accepted if said.device == index]
            if device.name in names:
                promised = {said.text for said in own} - self._refused(device)
                assert promised <= set(held), f"what {device.name} wrote is there"
            order = [text for text in held if text in {said.text for said in own}]
            assert order == [said.text for said in own if said.text in set(order)], "a device's words keep their order"
        self._check_outsiders(held)

    def _check_outsiders(self, held: list[str]) -> None:
        """Who is out holds the beginning of what the others do, but for what it could not send and what was taken from it later."""
        for device in self.devices:
            if shown(device, self.group).state in _OUT:
                theirs = [text for text in self._held(device) if text in set(held)]
                assert theirs == [text for text in held if text in set(theirs)], f"{device.name} has another order"

    def _refused(self, device: SimDevice) -> set[str]:
        """What a device shows as failed, so that its owner knows that nobody has it."""
        return {each.text for each in device.messages(self.group) if each.mine and each.state is SendState.FAILED}

    def _held(self, device: SimDevice) -> list[str]:
        return [
            message.text
            for message in device.messages(self.group)
            if message.kind is MessageKind.TEXT and (not message.mine or message.state is not SendState.FAILED)
        ]


async def _try_to_move(device: SimDevice, group: str) -> None:
    with contextlib.suppress(Exception, PowerLost):  # its server may be away, and its power go at any moment
        await device.engine.groups.move(group)


@asynccontextmanager
async def group_storm(place: Path, seed: int) -> AsyncGenerator[GroupStorm]:
    """Five people on two servers in one group, all of whom have come in before the storm begins."""
    world = World(place, seed, Faults())
    try:
        kinds = (SimHomeServer, SimHomeServer, ReferenceServer)
        servers = [world.server(name, world.chance.choice(kinds)) for name in ("~harbor", "~beach")]
        homes = [*servers, *(world.chance.choice(servers) for _ in _NAMES[2:])]
        devices = [world.device(name, home) for name, home in zip(_NAMES, homes, strict=True)]
        for device in devices:
            device.start()
        group = (await devices[0].engine.groups.create("Climbers")).id
        for device in devices[1:]:
            await devices[0].engine.groups.invite(group, device.name)
            await comes_in(device, group)
        devices[0].engine.groups.set_admin(group, devices[1].name, True)  # who lives elsewhere, and can move the group
        await asyncio.sleep(60)
        yield GroupStorm(world, devices, group)
    finally:
        await world.close()


async def group_weather(place: Path, seed: int, steps: int) -> None:
    """One storm from beginning to end."""
    async with group_storm(place, seed) as raging:
        faults = raging.world.faults
        faults.lost_request, faults.lost_reply, faults.busy, faults.twice, faults.latency_s = 0.08, 0.1, 0.05, 0.05, 0.4
        await raging.rage(steps)
        await raging.calm()
        raging.check()
