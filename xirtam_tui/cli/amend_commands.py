"""Commands about messages that are there already: `edit`, `withdraw`, `react`.

What they say goes to the peer as a control event, which clients of other makes pass over.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer

from xirtam_core.chat import Message
from xirtam_core.client import Client
from xirtam_core.errors import IdentityChanged, NotFound, Unreachable
from xirtam_core.names import Username
from xirtam_tui.cli.message_commands import Target
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, message_object
from xirtam_tui.cli.running import opened, run_command

_LOOK_S = 0.1
MessageId = Annotated[str, typer.Argument(help="Which message, by the id that send, listen and history print.")]
TimeoutOption = Annotated[float, typer.Option(min=0, help="Seconds to wait until it is sent; it goes out later else.")]
Amend = Callable[[Client, str], Coroutine[Any, Any, Message]]


def edit(
    target: Target,
    message_id: MessageId,
    text: Annotated[str, typer.Argument(help="What it shall say.")],
    timeout: TimeoutOption = 60.0,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace the text of a message of yours.

    A peer whose client does not know edits goes on seeing the old text.
    """
    where = context(data_dir, account, passphrase_file)
    _run(where, target, lambda client, chat: client.edit(chat, message_id, text), timeout, Output(as_json=as_json))


def withdraw(
    target: Target,
    message_id: MessageId,
    timeout: TimeoutOption = 60.0,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a message of yours back.

    A peer whose client does not know that goes on seeing it, and whoever has read it has read it.
    """
    where = context(data_dir, account, passphrase_file)
    _run(where, target, lambda client, chat: client.withdraw(chat, message_id), timeout, Output(as_json=as_json))


def react(
    target: Target,
    message_id: MessageId,
    emoji: Annotated[str, typer.Argument(help="One emoji.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take it off again.")] = False,
    timeout: TimeoutOption = 60.0,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put an emoji on a message."""
    where = context(data_dir, account, passphrase_file)

    def amend(client: Client, chat: str) -> Coroutine[Any, Any, Message]:
        return client.react(chat, message_id, emoji, remove=remove)

    _run(where, target, amend, timeout, Output(as_json=as_json))


def _run(where: Context, target: str, amend: Amend, timeout_s: float, output: Output) -> None:
    run_command(_amend(where, Username.parse(target), amend, timeout_s, output), output)


async def _amend(where: Context, peer: Username, amend: Amend, timeout_s: float, output: Output) -> None:
    async with opened(where) as client:
        chat = next((each for each in await client.chats() if each.peer == peer), None)
        if chat is None:
            raise NotFound(f"there is no chat with {peer}")
        if chat.alarm is not None:
            raise IdentityChanged(f"{chat.alarm} Nothing was sent: see xirtam acknowledge.")
        message = await amend(client, chat.id)
        try:
            async with asyncio.timeout(timeout_s):
                while await client.outstanding(chat.id):  # noqa: ASYNC110 # no event tells of it
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise Unreachable(f"not sent within {timeout_s:g} s: it goes out when xirtam runs") from None
    output.result(message_object(message, "changed"), message.id)
