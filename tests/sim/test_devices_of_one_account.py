"""Two devices of one account hold the same chats."""

from pathlib import Path

from tests.sim.people import two_people
from tests.sim.virtual_time import simulated, until


@simulated
async def test_what_one_device_sends_and_gets_the_other_has_too(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "from the phone"))
        await pair.bobby.gets(pair.alice, "from the phone")
        await pair.bobby.has_sent(await pair.bobby.write(pair.alice, "hello to both"))
        await tablet.gets(pair.bobby, "hello to both")
        await until(lambda: tablet.texts(pair.bobby) == ["from the phone", "hello to both"], "the tablet has both", 120)
        await tablet.has_sent(await tablet.write(pair.bobby, "from the tablet"))
        await pair.bobby.gets(pair.alice, "from the phone", "from the tablet")
        expected = ["from the phone", "hello to both", "from the tablet"]
        await until(lambda: pair.alice.texts(pair.bobby) == expected, "the phone has all", 120)
