"""Calls without a task: driven from future to future, in the context of their connection."""

import asyncio
from contextvars import ContextVar, copy_context

import pytest

from xirtam_server.transports.steps import drive

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


async def test_a_call_that_waits_for_nothing_has_ended_at_once() -> None:
    async def call() -> bytes:
        return b"done"

    ended: list[bytes | None] = []
    drive(call(), copy_context(), ended.append)

    assert ended == [b"done"]


async def test_a_call_goes_on_when_what_it_waits_for_is_there_and_keeps_its_context() -> None:
    loop = asyncio.get_running_loop()
    first, ended = loop.create_future(), loop.create_future()

    async def call() -> bytes:
        before = WHO.get()
        number = await first
        await asyncio.sleep(0)
        return f"{before} {WHO.get()} {number}".encode()

    context = copy_context()
    context.run(WHO.set, "alice")
    drive(call(), context, ended.set_result)
    assert not ended.done()

    first.set_result(7)

    assert await ended == b"alice alice 7"


async def test_a_call_hears_of_the_failure_of_what_it_waits_for() -> None:
    loop = asyncio.get_running_loop()
    awaited, ended = loop.create_future(), loop.create_future()

    async def call() -> bytes:
        with pytest.raises(KeyError):
            await awaited
        return b"told"

    drive(call(), copy_context(), ended.set_result)
    awaited.set_exception(KeyError())

    assert await ended == b"told"


async def test_a_call_ends_without_an_answer_when_what_it_waits_for_is_cancelled() -> None:
    loop = asyncio.get_running_loop()
    awaited, ended = loop.create_future(), loop.create_future()

    async def call() -> bytes:
        await awaited
        return b"never"

    drive(call(), copy_context(), ended.set_result)
    awaited.cancel()

    assert await ended is None


async def test_a_call_may_begin_another_as_it_ends() -> None:
    loop = asyncio.get_running_loop()
    awaited, ended, context = loop.create_future(), loop.create_future(), copy_context()

    async def call() -> bytes:
        await awaited
        return b"again"

    drive(call(), context, lambda _: drive(call(), context, ended.set_result))
    awaited.set_result(None)

    assert await ended == b"again"
