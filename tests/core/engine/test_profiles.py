"""What people say of themselves: published, seen by others, and only as far as a device of theirs has signed it (spec: devices.md)."""

import asyncio
from pathlib import Path

import pytest

from tests import builders
from tests.sim.people import acquaint, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Chat
from xirtam_core.codec.primitives import AeadKey
from xirtam_core.errors import Malformed, NotFound, Unreachable, Unverified
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.attachment import Attachment
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.protocol.profile import UserProfile


def _seen(device: SimDevice, of: SimDevice) -> str | None:
    (chat,) = [chat for chat in device.engine.conversations.chats() if chat.id == of.name]
    return chat.display_name


@simulated
async def test_what_somebody_calls_themselves_shows_with_their_chat_in_time(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        assert _seen(pair.alice, pair.bobby) is None
        said = await pair.bobby.engine.profiles.set_display_name("  Bob Martin ")
        assert said.display_name == "Bob Martin"
        await asyncio.sleep(3600)
        await pair.alice.write(pair.bobby, "are you there?")
        await until(lambda: _seen(pair.alice, pair.bobby) == "Bob Martin", "it shows", 120)
        told = [event.chat for event in pair.alice.events if hasattr(event, "chat") and isinstance(event.chat, Chat)]
        assert told[-1].display_name == "Bob Martin"
        (contact,) = pair.alice.engine.people.people()
        assert (contact.display_name, contact.petname) == ("Bob Martin", None)


@simulated
async def test_it_can_be_asked_for_at_once_and_be_taken_away_again(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        for name in ("Bob", "Robert", None, "Bob"):  # four times within one second
            await pair.bobby.engine.profiles.set_display_name(name)
            assert (await pair.alice.engine.profiles.profile(pair.bobby.name)).display_name == name
        assert (await pair.bobby.engine.profiles.profile(pair.bobby.name)).display_name == "Bob"
        with pytest.raises(NotFound):
            await pair.alice.engine.profiles.profile(Username("@nobody_here"))


@simulated
async def test_what_a_stranger_has_signed_is_refused_and_what_was_known_stays(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        await pair.bobby.engine.profiles.set_display_name("Bob")
        await pair.alice.engine.profiles.profile(pair.bobby.name)
        stranger = builders.account("mallory")
        pair.beach.profiles[pair.bobby.name] = UserProfile.signed(stranger.secret, "Mallory", None, 2**40)
        with pytest.raises(Unverified, match="signed by none of their devices"):
            await pair.alice.engine.profiles.profile(pair.bobby.name)
        assert _seen(pair.alice, pair.bobby) == "Bob"


@simulated
async def test_a_server_that_shows_an_older_profile_changes_nothing(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        await pair.bobby.engine.profiles.set_display_name("Old")
        old = pair.beach.profiles[pair.bobby.name]
        await pair.bobby.engine.profiles.set_display_name("New")
        await pair.alice.engine.profiles.profile(pair.bobby.name)
        pair.beach.profiles[pair.bobby.name] = old
        await pair.alice.engine.profiles.profile(pair.bobby.name)
        assert _seen(pair.alice, pair.bobby) == "New"
        del pair.beach.profiles[pair.bobby.name]
        await pair.alice.engine.profiles.profile(pair.bobby.name)
        assert _seen(pair.alice, pair.bobby) == "New"


@simulated
async def test_a_picture_that_another_client_has_published_stays(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        picture = Attachment("me.png", "image/png", (), AeadKey(bytes(32)))
        pair.beach.profiles[pair.bobby.name] = UserProfile.signed(pair.bobby.keys.secret, None, picture, 5)
        await pair.bobby.engine.profiles.set_display_name("Bob")
        published = pair.beach.profiles[pair.bobby.name]
        assert (published.display_name, published.avatar) == ("Bob", picture)


@pytest.mark.parametrize("name", ["two\nlines", "x" * 65, "bell\a"])
@simulated
async def test_what_is_no_name_is_refused_before_anything_is_published(tmp_path: Path, name: str) -> None:
    async with two_people(tmp_path) as pair:
        with pytest.raises(Malformed):
            await pair.bobby.engine.profiles.set_display_name(name)
        assert not pair.beach.profiles


@simulated
async def test_whatever_others_publish_shows_as_one_line_of_bounded_length(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        for number, (said, shown) in enumerate([("a\n\n b\tc", "a b c"), ("y" * 5000, "y" * 64), (" \n ", None)]):
            profile = UserProfile.signed(pair.bobby.keys.secret, said, None, 10 + number)
            pair.beach.profiles[pair.bobby.name] = profile
            assert (await pair.alice.engine.profiles.profile(pair.bobby.name)).display_name == shown


@simulated
async def test_what_the_former_identity_said_is_not_shown_of_the_new_one(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        await pair.bobby.engine.profiles.set_display_name("Bob")
        await pair.alice.engine.profiles.profile(pair.bobby.name)
        other = builders.account("somebody_else")
        blob = UserDescriptor(ServerName("~beach"), other.hash).blob()
        pair.world.directory.set_value(pair.bobby.name, pair.bobby.keys.secret, blob)
        await asyncio.sleep(120)
        await pair.alice.write(pair.bobby, "is that you?")
        await until(lambda: pair.alice.engine.people.people()[0].alarm is not None, "the change is seen", 120)
        assert _seen(pair.alice, pair.bobby) is None


@simulated
async def test_where_the_home_server_is_away_it_is_said_and_nothing_changes(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.machine(pair.beach).stop()
        with pytest.raises(Unreachable):
            await pair.bobby.engine.profiles.set_display_name("Bob")
        pair.world.machine(pair.beach).start()
        assert not pair.beach.profiles
