"""Older messages, shared between an account's devices (spec: extensions.md, Own devices)."""

from pathlib import Path

from tests.sim.people import two_people
from tests.sim.virtual_time import simulated, until


@simulated
async def test_a_new_device_gets_the_messages_that_came_before_it(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "one"))
        await pair.bobby.gets(pair.alice, "one")
        await pair.bobby.has_sent(await pair.bobby.write(pair.alice, "two"))
        await pair.alice.gets(pair.bobby, "two")
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        assert await pair.alice.engine.history.share() == 2
        await until(lambda: tablet.texts(pair.bobby) == ["one", "two"], "the tablet has both", 120)
        assert [each.position for each in tablet.messages(pair.bobby)] == [
            each.position for each in pair.alice.messages(pair.bobby)
        ]
