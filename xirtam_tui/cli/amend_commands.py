"""Commands about messages that are there already: `edit`, `withdraw`, `react`.

What they say goes to the peer as a control event, which clients of other makes pass over.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer

from xirtam_core.chat import Message
from xirtam_core.client import Client
from xirtam_core.errors import IdentityChanged, NotFound
from xirtam_tui.cli.message_commands import Target
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, message_object
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.cli.targets import known_chat
from xirtam_tui.cli.waiting import all_sent

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
    run_command(_amend(where, target, amend, timeout_s, output), output)


async def _amend(where: Context, target: str, amend: Amend, timeout_s: float, output: Output) -> None:
    async with opened(where) as client:
        name = await known_chat(client, target)
        chat = next((each for each in await client.chats() if each.id == name), None)
        if chat is None:
            raise NotFound(f"there is no chat with {name}")
        if chat.alarm is not None:
            raise IdentityChanged(f"{chat.alarm} Nothing was sent: see xirtam acknowledge.")
        message = await amend(client, chat.id)
        await all_sent(client, chat.id, timeout_s=timeout_s)
    output.result(message_object(message, "changed"), message.id)
