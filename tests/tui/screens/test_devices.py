"""The account's devices: what is known of each, what revoking does, and that nothing which has begun is broken off by a key."""

import asyncio
from pathlib import Path

from tests.tui.demo import demo_client
from tests.tui.fake_client import FakeClient
from tests.tui.fake_devices import NOW_S, device
from tests.tui.piloting import Driver, account_app
from xirtam_core.errors import Unreachable

_DAY_S = 86_400


async def _open(driver: Driver, *words: str) -> None:
    await driver.press("alt+d")
    await driver.sees("Your devices", *words)


def _two_devices(**changes: object) -> FakeClient:
    client = demo_client()
    client.devices.known.append(device(2, "phone", **changes))
    return client


async def test_all_that_is_known_of_a_device_is_shown_in_a_small_terminal(tmp_path: Path) -> None:
    client = demo_client()
    client.devices.known[0] = device(1, "desk", is_this=True, is_root=True, key_created_s=NOW_S - 600)
    client.devices.known += [
        device(2, "phone", issued_by=f"{1:064x}", expires_s=NOW_S + 300 * _DAY_S, can_issue=False, key_created_s=NOW_S - 7200),
        device(3, None, issued_by="ab" * 32, expires_s=NOW_S - _DAY_S, added_s=None, key_created_s=None),
    ]  # fmt: skip
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await _open(driver, "0001 77aa 02be 91c3 5d0e 44f1 a6b8 3c29", "26 August 2026, as the first", "never expires")
        await driver.sees("made 10 min ago", "read and write as you, and add other devices", "Close", "Share history h")
        await driver.press("down")
        await driver.sees("0002 77aa", "26 August 2026, by desk", "good until 20 September 2027", "made 2 h ago")
        await driver.sees_not("add other devices")
        await driver.press("down")
        await driver.sees("0003 77aa", "by the device abab", "has expired on 23 November 2026", "it has not joined")


async def test_what_revoking_does_is_said_before_it_is_asked_for(tmp_path: Path) -> None:
    client = _two_devices()
    client.devices.own_the_name.add(client.devices.known[1].id)
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await _open(driver, "phone")
        await driver.press("down", "x")
        await driver.sees(
            "Revoke phone? It is for good.", "0002 77aa", "Its key is taken from those that own", "What nobody can do"
        )
        await driver.press("enter")
        await driver.sees_not("What nobody can do")
        assert not client.devices.known[1].is_revoked, "a stray Enter keeps it"
        await driver.press("x")
        await driver.sees("What would be done")
        await driver.agree()
        await driver.sees("Revoked: phone", "✗ What it has read already stays with it.")
        await driver.press("enter", "x")
        await driver.sees("It is revoked already.")


async def test_no_device_is_asked_to_revoke_itself_or_the_first(tmp_path: Path) -> None:
    client = demo_client()
    client.devices.known[:] = [device(1, "tablet", is_this=True), device(2, "desk", is_root=True)]
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "tablet")
        await driver.press("x")
        await driver.sees("none can revoke itself. Revoke it", "on another device of yours.")
        await driver.press("down", "x")
        await driver.sees("The first device certifies all others", "Recover with")
        await driver.press("up", "e")
        await driver.sees("A device cannot renew itself")


async def test_what_has_begun_is_not_broken_off_by_another_key(tmp_path: Path) -> None:
    client = _two_devices()
    client.devices.held = asyncio.Event()
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "phone")
        await driver.press("down", "x")
        await driver.sees("What would be done")
        await driver.agree()
        await driver.sees("Revoking…")
        await driver.press("k")
        await driver.sees("Still working on what you began")
        assert client.devices.rotations == 0
        client.devices.held.set()
        await driver.sees("Revoked: phone")
        assert client.devices.known[1].is_revoked
        await driver.press("enter", "k")
        await driver.sees("A new key of this device is published.")


async def test_what_has_begun_goes_on_where_the_sheet_is_left_and_tells_its_outcome(tmp_path: Path) -> None:
    client = _two_devices()
    client.devices.held = asyncio.Event()
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "phone")
        await driver.press("down", "x")
        await driver.sees("What would be done")
        await driver.agree()
        await driver.sees("Revoking…")
        await driver.press("escape")
        await driver.sees_not("Revoking…")
        client.devices.held.set()
        await driver.sees("Revoked: phone", "What was done")


async def test_a_device_that_cannot_be_looked_at_is_not_revoked(tmp_path: Path) -> None:
    client = _two_devices()
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "phone")
        client.devices.explain_error = Unreachable("no connection to the server")
        await driver.press("down", "x")
        await driver.sees("No connection to the server.")
        assert not client.devices.known[1].is_revoked
