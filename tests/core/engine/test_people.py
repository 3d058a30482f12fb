"""What the owner of an account says of people: petnames and verification."""

import asyncio
from pathlib import Path

import pytest

from tests.sim.people import two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Chat
from xirtam_core.errors import Malformed, NotFound, Refused
from xirtam_core.names import Username
from xirtam_core.people import Standing


def _chat(device: SimDevice, peer: SimDevice) -> Chat:
    return next(chat for chat in device.engine.conversations.chats() if chat.peer == peer.name)


@simulated
async def test_both_see_the_same_safety_code(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        code = await pair.alice.engine.people.safety_code(pair.bobby.name)
        other = await pair.bobby.engine.people.safety_code(pair.alice.name)
        assert (code.digits, code.text) == (other.digits, other.text)
        assert code.peer == pair.bobby.name
        assert not code.verified


@simulated
async def test_a_further_device_of_an_account_has_the_same_code(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        code = await tablet.engine.people.safety_code(pair.bobby.name)
        assert code == await pair.alice.engine.people.safety_code(pair.bobby.name)


@simulated
async def test_there_is_no_safety_code_with_oneself_or_with_nobody(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        with pytest.raises(Refused):
            await pair.alice.engine.people.safety_code(pair.alice.name)
        with pytest.raises(NotFound):
            await pair.alice.engine.people.safety_code(Username("@nobody"))


@simulated
async def test_somebody_is_verified_until_that_is_taken_back(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.engine.conversations.start_chat(pair.bobby.name)
        assert (await pair.alice.engine.people.set_verified(pair.bobby.name, True)).verified
        assert _chat(pair.alice, pair.bobby).verified
        assert (await pair.alice.engine.people.safety_code(pair.bobby.name)).verified
        await pair.alice.restart()
        assert _chat(pair.alice, pair.bobby).verified
        assert not (await pair.alice.engine.people.set_verified(pair.bobby.name, False)).verified


@simulated
async def test_a_changed_root_blocks_sending_until_acknowledged_and_clears_verified_for_good(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "hello"))
        await pair.alice.engine.people.set_verified(pair.bobby.name, True)
        old = (await pair.alice.engine.people.safety_code(pair.bobby.name)).digits
        pair.bobby.change_root("bobby_anew")
        await asyncio.sleep(120)
        await pair.alice.write(pair.bobby, "is it you?")
        await until(lambda: _chat(pair.alice, pair.bobby).alarm, "the alarm is raised", 120)
        assert not _chat(pair.alice, pair.bobby).verified
        with pytest.raises(Refused, match="Acknowledge that first"):
            await pair.alice.engine.people.set_verified(pair.bobby.name, True)
        code = await pair.alice.engine.people.safety_code(pair.bobby.name)
        assert code.digits != old
        assert code.former_digits == old, "so that both can be compared"
        pair.alice.engine.conversations.acknowledge_alarm(pair.bobby.name)
        assert (await pair.alice.engine.people.safety_code(pair.bobby.name)).former_digits is None
        assert _chat(pair.alice, pair.bobby).alarm is None
        assert not _chat(pair.alice, pair.bobby).verified
        assert pair.alice.database.row("SELECT verified_root FROM people") == (None,), (
            "not even if the old key came back"
        )
        assert (await pair.alice.engine.people.set_verified(pair.bobby.name, True)).verified


@simulated
async def test_the_alarm_about_ones_own_identity_can_be_acknowledged_without_a_chat_with_oneself(
    tmp_path: Path,
) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "hello"))
        pair.alice.change_root("alice_anew")
        await asyncio.sleep(120)
        await pair.alice.write(pair.bobby, "still me")
        alarm = "SELECT alarm FROM peers WHERE username = '@alice'"
        await until(lambda: (pair.alice.database.row(alarm) or (None,))[0], "the alarm is raised", 600)
        pair.alice.engine.conversations.acknowledge_alarm(pair.alice.name)
        assert pair.alice.database.row(alarm) == (None,)
        for name in ("@nobody", "no name at all"):
            with pytest.raises(NotFound):
                pair.alice.engine.conversations.acknowledge_alarm(name)


@simulated
async def test_a_petname_is_kept_until_it_is_taken_off(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.engine.conversations.start_chat(pair.bobby.name)
        people = pair.alice.engine.people
        assert people.set_petname(pair.bobby.name, "  Bob 👨‍👩‍👧 from work ").petname == "Bob 👨‍👩‍👧 from work"
        assert _chat(pair.alice, pair.bobby).petname == "Bob 👨‍👩‍👧 from work"
        assert people.set_petname(pair.bobby.name, " ").petname is None


@pytest.mark.parametrize("petname", ["x" * 65, "two\nlines", "half \ud800", "\x1b[31mred"])
def test_a_petname_is_one_short_line_of_text(tmp_path: Path, petname: str) -> None:
    @simulated
    async def refused() -> None:
        async with two_people(tmp_path) as pair:
            await pair.alice.engine.conversations.start_chat(pair.bobby.name)
            with pytest.raises(Malformed):
                pair.alice.engine.people.set_petname(pair.bobby.name, petname)

    refused()


@simulated
async def test_oneself_is_nobody_to_be_accepted_or_blocked(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.has_sent(await pair.alice.write(pair.alice, "a note"))
        assert pair.alice.engine.people.people() == []
        assert _chat(pair.alice, pair.alice).standing is Standing.CONTACT
        with pytest.raises(NotFound):
            pair.alice.engine.people.block(pair.alice.name)
