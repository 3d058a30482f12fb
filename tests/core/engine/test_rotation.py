"""Fresh keys about hourly, and none destroyed that anything could still need (spec: client.md, Rotation)."""

import asyncio
from pathlib import Path

from tests import builders
from tests.sim.faults import Faults
from tests.sim.home_server import ReferenceServer
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.crypto import dh
from xirtam_core.storage import medium_keys

_HOUR_S = 3600.0


def _publications(pair: Pair) -> int:
    return pair.world.machine(pair.beach).calls.count("v1_device_add_medium_pk")


@simulated
async def test_keys_rotate_about_hourly_and_not_more_often(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        seen = [pair.bobby.published_key(pair.beach)]
        for _ in range(10):
            await asyncio.sleep(_HOUR_S)
            key = pair.bobby.published_key(pair.beach)
            if key != seen[-1]:
                seen.append(key)
        assert 9 <= len(seen) <= 11
        assert _publications(pair) == len(seen) - 1
        assert pair.bobby.engine.conversations.status().medium_key_age_s in range(4100)


@simulated
async def test_a_key_that_is_old_when_the_engine_starts_is_replaced_at_once(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.bobby.crash()
        old = pair.bobby.published_key(pair.beach)
        await asyncio.sleep(86_400)
        pair.bobby.start()
        await until(lambda: pair.bobby.published_key(pair.beach) != old, "it publishes", 10)
        await asyncio.sleep(600)
        assert _publications(pair) == 1


@simulated
async def test_a_key_is_stored_before_it_is_published_and_used_only_after(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        old = pair.bobby.published_key(pair.beach)
        pair.world.faults.lost_request, pair.world.faults.only = 1.0, "v1_device_add_medium_pk"
        await asyncio.sleep(2 * _HOUR_S)
        assert pair.bobby.newest_secret() != old
        published = medium_keys.newest_published(pair.bobby.database)
        assert published is not None
        assert dh.public_of(published.secret) == old
        pair.world.faults.lost_request = 0.0
        await until(lambda: pair.bobby.published_key(pair.beach) == pair.bobby.newest_secret(), "it publishes", 600)


@simulated
async def test_a_publication_whose_answer_got_lost_publishes_the_same_key_again(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.faults.lost_reply, pair.world.faults.only = 1.0, "v1_device_add_medium_pk"
        await asyncio.sleep(1.2 * _HOUR_S)
        assert pair.bobby.published_key(pair.beach) == pair.bobby.newest_secret()
        assert pair.bobby.secrets_held() == 2
        await pair.alice.write(pair.bobby, "to the key that nobody knows is published")
        await pair.bobby.gets(pair.alice, "to the key that nobody knows is published")
        await pair.bobby.restart()
        pair.world.faults.lost_reply = 0.0
        await until(lambda: _is_published(pair), "it knows", 600)
        assert pair.bobby.secrets_held() == 2


def _is_published(pair: Pair) -> bool:
    published = medium_keys.newest_published(pair.bobby.database)
    return published is not None and bytes(dh.public_of(published.secret)) == pair.bobby.newest_secret()


@simulated
async def test_ten_starts_without_a_network_leave_everything_that_waits_readable(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.bobby.crash()
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "before all that"))
        pair.bobby.end.is_cut = True
        for _ in range(10):
            pair.bobby.start()
            await asyncio.sleep(2 * _HOUR_S)
            await pair.bobby.crash()
        assert _publications(pair) == 0
        pair.bobby.end.is_cut = False
        pair.bobby.start()
        await pair.bobby.gets(pair.alice, "before all that")
        assert pair.bobby.secrets_held() == 2, "starts without a network make no pile of keys"


@simulated
async def test_a_secret_is_kept_for_as_long_as_messages_under_it_may_lie_in_the_mailbox(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await asyncio.sleep(10)
        reading = Faults(lost_request=1.0, only="v1_mailbox_multirecv")
        pair.world.faults.lost_request, pair.world.faults.only = reading.lost_request, reading.only
        await pair.bobby.restart()  # from now on it rotates and reads nothing
        event = builders.text_event(pair.bobby.name, "under the first key")
        await pair.world.post(pair.bobby, builders.sealed_message(pair.alice.keys, event, [pair.bobby.keys]))
        await asyncio.sleep(6 * _HOUR_S)
        assert _publications(pair) >= 5
        assert pair.bobby.secrets_held() >= 6
        pair.world.faults.lost_request = 0.0
        await pair.bobby.gets(pair.alice, "under the first key")


@simulated
async def test_a_secret_goes_once_no_sender_can_have_it_any_more_and_the_mailbox_is_read_to_its_end(
    tmp_path: Path,
) -> None:
    async with two_people(tmp_path) as pair:
        first = pair.bobby.published_key(pair.beach)
        await until(lambda: pair.bobby.published_key(pair.beach) != first, "it rotates", 2 * _HOUR_S)
        await asyncio.sleep(4100)  # a sender may have looked the first one up just before, and keep it for an hour
        event = builders.text_event(pair.bobby.name, "under the first key")
        await pair.world.post(pair.bobby, builders.sealed_message(pair.alice.keys, event, [pair.bobby.keys]))
        await pair.bobby.gets(pair.alice, "under the first key")
        await asyncio.sleep(1500)
        event = builders.text_event(pair.bobby.name, "far too late")
        await pair.world.post(pair.bobby, builders.sealed_message(pair.alice.keys, event, [pair.bobby.keys]))
        await until(lambda: pair.bobby.engine.conversations.status().rejected == 1, "it can be opened no more", 600)
        await asyncio.sleep(24 * _HOUR_S)
        assert pair.bobby.secrets_held() <= 3


@simulated
async def test_what_was_read_is_not_read_again_when_its_key_is_gone(tmp_path: Path) -> None:
    """A reference server is asked again for what lies shortly before what was read last, also after a new start."""
    async with two_people(tmp_path, beach=ReferenceServer) as pair:
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello")
        first = pair.bobby.newest_secret()
        await until(lambda: first not in _secrets(pair.bobby), "the key is gone", 4 * _HOUR_S)
        for _ in range(3):  # the next one before the last look is over
            await pair.bobby.restart()
            await asyncio.sleep(3)
        await pair.alice.write(pair.bobby, "hello again")
        await pair.bobby.gets(pair.alice, "hello", "hello again")
        await asyncio.sleep(60)
        assert pair.bobby.engine.conversations.status().rejected == 0


def _secrets(device: SimDevice) -> list[bytes]:
    return [bytes(dh.public_of(secret)) for _, secret in medium_keys.openers(device.database)]


@simulated
async def test_a_message_under_the_old_key_is_read_minutes_after_the_rotation(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        first = pair.bobby.published_key(pair.beach)
        await until(lambda: pair.bobby.published_key(pair.beach) != first, "it rotates", 2 * _HOUR_S)
        await asyncio.sleep(500)
        event = builders.text_event(pair.bobby.name, "you were slow")
        await pair.world.post(pair.bobby, builders.sealed_message(pair.alice.keys, event, [pair.bobby.keys]))
        await pair.bobby.gets(pair.alice, "you were slow")


@simulated
async def test_no_secret_goes_while_an_entry_waits_to_be_understood(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await asyncio.sleep(10)
        pair.world.directory.is_down = True
        event = builders.text_event(pair.bobby.name, "from a stranger")
        await pair.world.post(pair.bobby, builders.sealed_message(pair.alice.keys, event, [pair.bobby.keys]))
        await asyncio.sleep(5 * _HOUR_S)
        assert _publications(pair) >= 4
        assert pair.bobby.secrets_held() >= 5
        pair.world.directory.is_down = False
        await pair.bobby.gets(pair.alice, "from a stranger")
        await until(lambda: pair.bobby.secrets_held() <= 3, "the old ones go", 3 * _HOUR_S)


@simulated
async def test_a_clock_that_was_years_ahead_does_not_stop_the_rotation(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.bobby.clock.offset_s = 10 * 365 * 86_400.0
        await pair.bobby.restart()
        await asyncio.sleep(60)
        pair.bobby.clock.offset_s = 0.0
        await pair.bobby.restart()
        before = _publications(pair)
        await asyncio.sleep(5 * _HOUR_S)
        assert before + 4 <= _publications(pair) <= before + 6
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello")


@simulated
async def test_spent_secrets_go_also_where_no_long_poll_ever_ends_empty(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:

        async def chatter() -> None:
            while True:
                await pair.alice.write(pair.bobby, "and another thing")
                await asyncio.sleep(10)

        talking = asyncio.create_task(chatter())
        await asyncio.sleep(6 * _HOUR_S)
        talking.cancel()
        assert _publications(pair) >= 5
        assert pair.bobby.secrets_held() <= 4


@simulated
async def test_a_server_that_has_lost_the_device_gets_its_key_again_at_once(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.write(pair.bobby, "before")
        await pair.bobby.gets(pair.alice, "before")
        pair.beach.devices.pop(pair.bobby.keys.hash)
        await until(lambda: pair.bobby.keys.hash in pair.beach.devices, "it signs in again", 120)
        await until(lambda: pair.beach.devices[pair.bobby.keys.hash].key, "it publishes a key", 10)
        await pair.alice.write(pair.bobby, "after")
        await pair.bobby.gets(pair.alice, "before", "after", limit_s=300)
