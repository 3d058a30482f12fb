"""Runs a command's work and turns what comes of it into output and an exit status."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import typer

from xirtam_core.client import Client
from xirtam_core.errors import XirtamError
from xirtam_core.remote_client import reach
from xirtam_tui.cli.exit_codes import Exit, exit_of
from xirtam_tui.cli.options import Context
from xirtam_tui.cli.output import Output

T = TypeVar("T")


def run_command(work: Coroutine[Any, Any, Exit | None], output: Output) -> None:
    """Runs `work` to its end and exits with what it gives, or with what its error means."""
    raise typer.Exit(complete(work, output) or Exit.DONE)


def complete(work: Coroutine[Any, Any, T], output: Output) -> T:
    """Runs `work` to its end and gives what it gives; exits with what its error means."""
    try:
        return asyncio.run(_until_told_to_end(work))
    except XirtamError as error:
        code = exit_of(error)
        output.error(error, code)
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = Exit.INTERRUPTED
    except BrokenPipeError:
        code = Exit.FAILED
    except OSError as fault:  # a place that cannot be read or written
        code = Exit.FAILED
        output.error(XirtamError(f"{fault.strerror}: {fault.filename}" if fault.filename else str(fault)), code)
    raise typer.Exit(code)


async def _until_told_to_end(work: Coroutine[Any, Any, T]) -> T:
    """SIGTERM ends work as Ctrl+C does: in order, so that what is under way is kept."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


@asynccontextmanager
async def opened(context: Context) -> AsyncGenerator[Client, None]:
    """The account that the options name, for as long as the block runs."""
    client = await reach(context.data_dir, context.name(), passphrase=context.passphrase())
    try:
        yield client
    finally:
        await client.close()
