"""Commands about messages and people: `send`, `listen`, `history`, `contacts`, `add`."""

import asyncio
import sys
from contextlib import suppress
from typing import Annotated

import typer

from xirtam_core.chat import Message, SendState
from xirtam_core.client import Client
from xirtam_core.errors import IdentityChanged, Malformed, NotFound, Refused, Unreachable
from xirtam_core.events import AlarmRaised, Event, MessageChanged
from xirtam_core.names import Username
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, chat_object, chat_words, message_object, message_words
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.cli.targets import chat_of, known_chat

_ON_ITS_WAY = (SendState.QUEUED, SendState.SENDING)
_OWN_COPY_S = 3.0
Target = Annotated[str, typer.Argument(help="Whom: @user, with or without the @, or a group by its name or id.")]


def send(
    target: Target,
    text: Annotated[str | None, typer.Argument(help="What to say; from standard input when absent.")] = None,
    reply_to: Annotated[str | None, typer.Option(help="The id of the message that this one answers.")] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until the server has it, or only queue it.")
    ] = True,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to wait; the message stays queued after that.")] = 60.0,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a message and print its id.

    Examples: xirtam send @bobby "see you there"    ·    make report | xirtam send bobby
    """
    output = Output(as_json=as_json)
    where = context(data_dir, account, passphrase_file)
    run_command(_send(where, target, text, reply_to, timeout if wait else None, output), output)


async def _send(
    where: Context, target: str, text: str | None, reply_to: str | None, timeout_s: float | None, output: Output
) -> None:
    content = _standard_input() if text is None else text
    async with opened(where) as client:
        chat = await chat_of(client, target, unseen=timeout_s is None)
        if chat.alarm is not None:
            raise IdentityChanged(f"{chat.alarm} Nothing was sent: see xirtam acknowledge.")
        message = await client.send_text(chat.id, content, reply_to=reply_to)
        if timeout_s is not None:
            message = await _delivered(client, message, timeout_s)
    output.result(message_object(message), message.id)


def _standard_input() -> str:
    if sys.stdin.isatty():
        sys.stderr.write("type the message, then Ctrl+D\n")
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise Malformed("what came on standard input is not text in UTF-8: nothing was sent") from None


async def _delivered(client: Client, message: Message, timeout_s: float) -> Message:
    """The message once a server has it; raises `Refused` when none will, `Unreachable` when it takes too long."""
    loop = asyncio.get_running_loop()
    changes: asyncio.Queue[Message | AlarmRaised] = asyncio.Queue()

    is_direct = message.chat.startswith(Username.sigil)  # an alarm about a group's name keeps nothing from being sent

    async def next_change() -> Message:
        change = await changes.get()
        if isinstance(change, AlarmRaised):
            raise IdentityChanged(
                f"{change.text} The message stays queued until you acknowledge that: see xirtam acknowledge."
            )
        return change

    def listen(event: Event) -> None:
        if isinstance(event, MessageChanged) and event.message.id == message.id:
            loop.call_soon_threadsafe(changes.put_nowait, event.message)
        elif isinstance(event, AlarmRaised) and event.chat == message.chat and is_direct:
            loop.call_soon_threadsafe(changes.put_nowait, event)

    unsubscribe, latest = client.subscribe(listen), message
    try:
        page = await client.history(message.chat)  # it may have gone out before the subscription
        latest = next((each for each in page.messages if each.id == message.id), message)
        async with asyncio.timeout(timeout_s):
            while latest.state in _ON_ITS_WAY:
                latest = await next_change()
            with suppress(TimeoutError):  # the copy for one's own devices goes too, if it goes at once
                async with asyncio.timeout(_OWN_COPY_S):
                    while latest.state is not SendState.FAILED and latest.received_at is None:
                        changed = await next_change()
                        latest = (
                            latest if changed.state in _ON_ITS_WAY else changed
                        )  # an old one, from before the history
    except TimeoutError:
        reason = f" ({latest.failure})" if latest.failure else ""
        raise Unreachable(
            f"not sent within {timeout_s:g} s{reason}: it stays queued and goes out when xirtam runs"
        ) from None
    finally:
        unsubscribe()
    if latest.state is SendState.FAILED:
        raise Refused(f"not sent: {latest.failure}")
    return latest


def history(
    target: Target,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many messages at most.")] = 50,
    before: Annotated[str | None, typer.Option(help="Only messages before the one with this id.")] = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the latest messages of a chat, oldest first."""
    output = Output(as_json=as_json)
    run_command(_history(context(data_dir, account, passphrase_file), target, limit, before, output), output)


async def _history(where: Context, target: str, limit: int, before: str | None, output: Output) -> None:
    async with opened(where) as client:
        chat = await known_chat(client, target)
        position = None if before is None else await _position(client, chat, before)
        page = await client.history(chat, before=position, limit=limit)
    for message in page.messages:
        output.result(message_object(message), message_words(message))


async def _position(client: Client, chat: str, message_id: str) -> int:
    position: int | None = None
    while True:
        page = await client.history(chat, before=position, limit=1000)
        for message in page.messages:
            if message.id == message_id:
                return message.position
        if not page.has_earlier:
            raise NotFound(f"the chat with {chat} has no message {message_id}")
        position = page.messages[0].position


def contacts(
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List contacts, the one with the newest message first."""
    output = Output(as_json=as_json)
    run_command(_contacts(context(data_dir, account, passphrase_file), output), output)


async def _contacts(where: Context, output: Output) -> None:
    async with opened(where) as client:
        chats = await client.chats()
    for chat in chats:
        output.result(chat_object(chat), chat_words(chat))


def add(
    name: Annotated[str, typer.Argument(help="Whom: @user, with or without the @.")],
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a contact: looks the name up and opens a chat."""
    output = Output(as_json=as_json)
    run_command(_add(context(data_dir, account, passphrase_file), name, output), output)


async def _add(where: Context, name: str, output: Output) -> None:
    async with opened(where) as client:
        chat = await client.start_chat(Username.parse(name))
    output.result(chat_object(chat), f"{chat.peer} on {chat.server}")
