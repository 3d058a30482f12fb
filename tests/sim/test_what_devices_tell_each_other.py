"""What is said of people and what is read on one device of an account holds on its others."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Chat
from xirtam_core.engine.contact_book import ContactEvent
from xirtam_core.people import Standing
from xirtam_core.settings import Settings


class Two(msgspec.Struct, frozen=True):
    """Alice's phone and tablet, on both of which Bobby's message is a request."""

    pair: Pair
    phone: SimDevice
    tablet: SimDevice
    bobby: SimDevice

    def chat(self, device: SimDevice) -> Chat | None:
        return next((chat for chat in device.engine.conversations.chats() if chat.peer == self.bobby.name), None)

    async def both(self, what: str, **expected: object) -> None:
        """Waits until both devices show the chat so."""

        def is_so(device: SimDevice) -> bool:
            chat = self.chat(device)
            return chat is not None and all(getattr(chat, name) == value for name, value in expected.items())

        await until(lambda: is_so(self.phone) and is_so(self.tablet), what, 300)


@asynccontextmanager
async def two_devices(place: Path) -> AsyncGenerator[Two]:
    async with two_people(place) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        two = Two(pair, pair.alice, tablet, pair.bobby)
        for device in (two.phone, two.tablet):
            device.engine.preferences.change(Settings())
        await asyncio.sleep(60)
        await two.bobby.write(pair.alice, "hello")
        await two.phone.gets(two.bobby, "hello")
        await two.tablet.gets(two.bobby, "hello")
        await two.both("a request on both", standing=Standing.REQUEST, unread=1)
        yield two
        assert not tablet.has_failed


@simulated
async def test_standing_petname_and_verification_follow_to_the_other_device(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as two:
        two.phone.engine.people.accept(two.bobby.name)
        await two.both("accepted", standing=Standing.CONTACT)
        two.tablet.engine.people.set_petname(two.bobby.name, "Bob")
        await two.both("named", petname="Bob")
        await two.phone.engine.people.set_verified(two.bobby.name, True)
        await two.both("verified", verified=True, petname="Bob", standing=Standing.CONTACT)
        two.tablet.engine.people.block(two.bobby.name)
        await two.both("blocked", standing=Standing.BLOCKED, verified=True)


@simulated
async def test_a_petname_given_to_a_requester_does_not_take_back_that_they_were_accepted(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as two:
        two.tablet.engine.people.set_petname(two.bobby.name, "Bob")
        two.phone.engine.people.accept(two.bobby.name)
        await two.both("accepted", standing=Standing.CONTACT)
        two.phone.engine.people.set_petname(two.bobby.name, "Bobby")
        await two.both("named", petname="Bobby", standing=Standing.CONTACT)


@simulated
async def test_writing_to_somebody_on_one_device_makes_them_a_contact_on_the_other(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as two:
        two.phone.engine.conversations.send_text(two.bobby.name, "hello yourself")
        await two.both("a contact", standing=Standing.CONTACT)


@simulated
async def test_a_chat_that_is_started_shows_on_the_other_device(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as two:
        carol = two.pair.world.device("carol", two.pair.beach)
        await two.phone.engine.conversations.start_chat(carol.name)
        chats = two.tablet.engine.conversations.chats
        await until(lambda: carol.name in [chat.peer for chat in chats()], "the tablet has the chat", 120)


@simulated
async def test_what_is_read_on_one_device_is_read_on_the_other_and_told_once(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as two:
        for number in range(5):
            await two.bobby.write(two.phone, f"number {number}")
        await two.both("all are there", unread=6)
        before = len(two.pair.harbor.mailbox(two.phone.name).entries)
        for message in two.phone.messages(two.bobby):
            two.phone.engine.conversations.mark_read(two.bobby.name, message.position)
        await two.both("read", unread=0)
        await asyncio.sleep(60)
        assert len(two.pair.harbor.mailbox(two.phone.name).entries) == before + 1


@simulated
async def test_a_device_that_was_off_catches_up_with_the_last_word(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as two:
        await two.tablet.crash()
        two.phone.engine.people.block(two.bobby.name)
        two.phone.engine.people.accept(two.bobby.name)
        two.phone.engine.people.set_petname(two.bobby.name, "Bob")
        two.phone.engine.conversations.mark_read(two.bobby.name, two.phone.messages(two.bobby)[0].position)
        await asyncio.sleep(3600)
        two.tablet.start()
        await two.both("caught up", standing=Standing.CONTACT, petname="Bob", unread=0)


@simulated
async def test_the_last_word_counts_also_where_a_clock_is_hours_behind(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as two:
        two.tablet.clock.offset_s = -5 * 3600
        two.phone.engine.people.set_petname(two.bobby.name, "said first")
        await two.both("named", petname="said first")
        two.tablet.engine.people.set_petname(two.bobby.name, "said last")
        await two.both("named anew", petname="said last")


@simulated
async def test_words_said_at_once_on_both_devices_end_in_the_same_one(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as two:
        two.phone.engine.people.set_petname(two.bobby.name, "one")
        two.tablet.engine.people.set_petname(two.bobby.name, "other")
        await asyncio.sleep(300)
        phone, tablet = two.chat(two.phone), two.chat(two.tablet)
        assert phone is not None
        assert tablet is not None
        assert phone.petname == tablet.petname


@simulated
async def test_reading_that_was_not_told_before_a_crash_is_told_after_it(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as two:
        two.phone.engine.conversations.mark_read(two.bobby.name, two.phone.messages(two.bobby)[0].position)
        await two.phone.restart()
        await two.both("read", unread=0)


@simulated
async def test_what_was_read_elsewhere_before_it_came_here_is_read_when_it_comes(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as two:
        carol = two.pair.world.device("carol", two.pair.beach)
        carol.start()
        two.phone.engine.people.accept(two.bobby.name)
        await two.both("the tablet knows the phone", standing=Standing.CONTACT)
        await two.tablet.crash()
        await carol.write(two.phone, "hello from Carol")
        await two.phone.gets(carol, "hello from Carol")
        two.phone.engine.conversations.mark_read(carol.name, two.phone.messages(carol)[0].position)
        await asyncio.sleep(60)
        two.pair.world.directory.is_down = True  # so that the tablet cannot know who Carol is
        two.tablet.start()
        early = "SELECT count(*) FROM early_reads"
        await until(lambda: two.tablet.database.row(early) == (1,), "the word of the reading waits", 300)
        two.pair.world.directory.is_down = False
        await two.tablet.gets(carol, "hello from Carol")
        (chat,) = [chat for chat in two.tablet.engine.conversations.chats() if chat.peer == carol.name]
        assert chat.unread == 0
        assert two.tablet.database.row(early) == (0,)


@simulated
async def test_words_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as two:
        tell = two.phone.engine._base.own_devices.tell  # type: ignore[reportPrivateUsage]
        tell(ContactEvent(two.phone.name, Standing.BLOCKED, 1))
        tell(ContactEvent(two.bobby.name, Standing.BLOCKED, 2**63 - 1))
        tell(ContactEvent(two.bobby.name, Standing.BLOCKED, -1))
        tell(ContactEvent(two.bobby.name, Standing.BLOCKED, 2**61, petname="x" * 1000))
        two.phone.engine.people.set_petname(two.bobby.name, "Bob")
        await two.both("only what makes sense counts", petname="Bob", standing=Standing.REQUEST)
