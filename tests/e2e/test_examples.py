"""The examples, run as anybody would run them."""

import asyncio
import signal
from pathlib import Path

from tests.e2e.processes import LIMIT_S, Person, Process, Server, ended
from xirtam_core import Client, JoinLink, KeyPlace, Username, register

_COUNT = 20


async def test_the_echo_bot_answers_each_message_once_though_it_is_killed(server: Server, tmp_path: Path) -> None:
    bot, link = Person("echo_bot", tmp_path / "bot"), JoinLink.parse(server.join)
    bot.register(server.join)
    expected = [f"message {number}" for number in range(_COUNT)]
    async with await register(
        tmp_path / "alice", link, Username("@alice"), lambda _: None, key_place=KeyPlace.FILE
    ) as alice:
        answers: list[str] = []
        await _say(alice, *expected[: _COUNT // 2])
        first = _start(bot)
        with ended(first):
            await _hear(alice, answers, until=expected[_COUNT // 4])
            first.kill()  # in the midst of its work
        await _say(alice, *expected[_COUNT // 2 :])
        second = _start(bot)
        with ended(second):
            await _hear(alice, answers, until=expected[-1])
            await _say(alice, "that was all")
            await _hear(alice, answers, until="that was all")
            second.signal(signal.SIGINT)
            assert second.wait() == 0
            assert second.stderr == ""
        assert answers == [*expected, "that was all"]


def _start(bot: Person) -> Process:
    return Process("examples.echo_bot", str(bot.data_dir), bot.name)


async def _say(client: Client, *texts: str) -> None:
    chat = await client.start_chat(Username("@echo_bot"))
    for text in texts:
        await client.send_text(chat.id, text)


async def _hear(client: Client, answers: list[str], until: str) -> None:
    async with asyncio.timeout(LIMIT_S):
        incoming = client.incoming("test")
        async for message in incoming:
            answers.append(message.text)
            if message.text == until:
                await incoming.done()
                return
