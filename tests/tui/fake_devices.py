"""People, devices and the network of an engine in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from xirtam_core.chat import Evidence, Finding
from xirtam_core.devices import Device, PairingOffer, PairingRequest, Revocation
from xirtam_core.errors import Malformed, NotFound, XirtamError
from xirtam_core.events import ChatRemoved
from xirtam_core.names import ServerName, Username
from xirtam_core.people import Contact, Profile, SafetyCode, Standing

if TYPE_CHECKING:
    from tests.tui.fake_client import FakeClient

NOW_S = 1_795_524_300
_DAY_S = 86_400
CODE = "xirtam:pair:B0Bh" + "q7Zk3mX9" * 16
FINGERPRINT = "90ab 12cd 34ef 5678 9abc def0 1234 5678"
DIGITS = "48213 90417 55102 37764 81920 66345 10293 84756 29384 75610 38475 61029"
FORMER = "10582 33947 72816 40953 61728 39405 82716 20394 58671 93042 17586 40239"


class FakeProfiles:
    """What people call themselves; an `error` makes publishing fail."""

    def __init__(self) -> None:
        self.names: dict[Username, str | None] = {}
        self.error: XirtamError | None = None

    async def profile(self, name: Username) -> Profile:
        return Profile(name=name, display_name=self.names.get(name))

    async def set_display_name(self, display_name: str | None) -> Profile:
        if self.error is not None:
            raise self.error
        self.names[Username("@alice")] = display_name
        return Profile(name=Username("@alice"), display_name=display_name)


class FakePeople:
    """Those there is a chat with."""

    def __init__(self, client: FakeClient) -> None:
        self._client = client
        self.codes: dict[str, SafetyCode] = {}
        self.code_error: XirtamError | None = None

    async def people(self) -> list[Contact]:
        return [
            Contact(
                name=chat.peer, standing=chat.standing, petname=chat.petname, server=ServerName("~harbor"),
                verified=chat.verified, features=None, alarm=chat.alarm, display_name=chat.display_name,
            )
            for chat in await self._client.chats() if chat.peer is not None
        ]  # fmt: skip

    async def accept(self, name: Username) -> None:
        self._client.change_chat(name, standing=Standing.CONTACT)

    async def block(self, name: Username) -> None:
        self._client.change_chat(name, standing=Standing.BLOCKED)

    async def forget(self, name: Username) -> None:
        self._client.remove_chat(name)
        self._client.emit(ChatRemoved(name))

    async def safety_code(self, name: Username) -> SafetyCode:
        if self.code_error is not None:
            raise self.code_error
        chat = self._client.chat(name)
        return SafetyCode(
            peer=name, digits=DIGITS, text="xirtam:safety:" + "q7Zk3mX9" * 5 + "abc", verified=chat.verified,
            former_digits=FORMER if chat.alarm else None, devices_changed_s=NOW_S - 21 * _DAY_S,
        )  # fmt: skip

    async def shared_groups(self, name: Username) -> list[str]:
        rosters = self._client.groups.rosters
        return [group for group in rosters if any(each.name == name for each in rosters[group])]

    async def set_verified(self, name: Username, verified: bool) -> None:
        self._client.change_chat(name, verified=verified)

    async def set_petname(self, name: Username, petname: str | None) -> None:
        self._client.change_chat(name, petname=petname)


def device(number: int, label: str | None, **changes: object) -> Device:
    """A device of the account."""
    made = Device(
        id=f"{number:064x}", fingerprint=f"{number:04x} 77aa 02be 91c3 5d0e 44f1 a6b8 3c29", label=label, is_this=False, is_root=False,
        can_issue=True, issued_by=None, added_s=NOW_S - 90 * _DAY_S, expires_s=None, key_created_s=NOW_S - 600, is_revoked=False,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def offer(name: Username) -> PairingOffer:
    """What a new device shows."""
    return PairingOffer(account=name, code=CODE, fingerprint=FINGERPRINT, since_s=NOW_S)


class FakeDevices:
    """An account with this device alone; a test may put others into `known`."""

    def __init__(self) -> None:
        self.known = [device(1, "desk", is_this=True, is_root=True)]
        self.error: XirtamError | None = None
        self.pairings: list[tuple[str | None, bool]] = []
        self.rotations = 0
        self.explain_error: XirtamError | None = None
        self.own_the_name: set[str] = set()
        self.held: asyncio.Event | None = None
        """What a revocation waits for."""

    async def devices(self) -> list[Device]:
        if self.error is not None:
            raise self.error
        return list(self.known)

    async def rotate(self) -> None:
        self.rotations += 1

    async def read_pairing(self, code: str) -> PairingRequest:
        if code != CODE:
            raise Malformed("that is no pairing code: it starts with xirtam:pair:")
        return PairingRequest(account=Username("@alice"), device="ff", fingerprint=FINGERPRINT)

    async def pair(self, code: str, *, label: str | None = None, with_history: bool = True) -> Device:
        if self.error is not None:
            raise self.error
        self.pairings.append((label, with_history))
        self.known.append(device(len(self.known) + 1, label, key_created_s=None))
        return self.known[-1]

    async def rename(self, device: str, label: str | None) -> Device:
        return self._change(device, label=label)

    async def renew(self, device: str, *, expires_s: int | None) -> Device:
        return self._change(device, expires_s=expires_s)

    async def explain_revocation(self, device: str) -> Revocation:
        if self.explain_error is not None:
            raise self.explain_error
        done = ["Your devices write to it no more.", "Your contacts are told by their next look."]
        if device in self.own_the_name:
            done.append(
                "Its key is taken from those that own the account's name, as soon as the directory has logged that."
            )
        return Revocation(
            device=device, expires_s=None, done=tuple(done), not_done=("What it has read already stays with it.",)
        )

    async def revoke(self, device: str) -> Revocation:
        if self.held is not None:
            await self.held.wait()
        self._change(device, is_revoked=True)
        return await self.explain_revocation(device)

    async def share_history(self) -> int:
        return 1204

    def _change(self, wanted: str, **changes: object) -> Device:
        for at, each in enumerate(self.known):
            if each.id == wanted:
                self.known[at] = msgspec.structs.replace(each, **changes)
                return self.known[at]
        raise NotFound("there is no such device")


class FakeTrust:
    """A network in which all is well."""

    def __init__(self) -> None:
        self.proofs: list[Evidence] = []
        self.findings = [
            Finding(what="directory", is_fine=True, words="answers, and its log holds up to height 412"),
            Finding(what="home server", is_fine=True, words="~harbor answers (xirtam-server 0.1.0)"),
            Finding(what="clock", is_fine=True, words="right to the second"),
        ]

    async def evidence(self) -> list[Evidence]:
        return list(self.proofs)

    async def check_network(self) -> list[Finding]:
        return list(self.findings)
