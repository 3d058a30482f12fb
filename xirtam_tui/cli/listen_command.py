"""`xirtam listen`: what arrives, as it comes, each message once.

Where it stopped is remembered: in the account, or with `--ack-file` in that file, written after each message has been printed. So a
script that is killed and started again misses nothing, and sees again at most the one message that it was killed at.
"""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from xirtam_core.chat import Message, Reaction
from xirtam_core.client import Client
from xirtam_core.errors import Malformed
from xirtam_core.events import (
    AlarmRaised,
    ChatChanged,
    ChatRemoved,
    Event,
    HistoryAdded,
    MessageAdded,
    MessageChanged,
    StatusChanged,
)
from xirtam_core.people import Standing
from xirtam_tui.cli.exit_codes import Exit
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, chat_object, message_object, message_words, status_object
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.cli.targets import known_chat

_RECHECK_S = 30.0
_MOST_AMENDED = 10_000
Marks = tuple[str | None, bool, tuple[Reaction, ...]]
"""What may have been done to a message: another text, a withdrawal, reactions."""
_UNTOUCHED: Marks = (None, False, ())


def listen(
    targets: Annotated[list[str] | None, typer.Argument(help="Only these people and groups.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after this many messages.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0, help="Stop after this many seconds.")] = None,
    since: Annotated[
        int | None, typer.Option(min=0, help="Start after this cursor, as printed with a message.")
    ] = None,
    ack_file: Annotated[Path | None, typer.Option(help="Keep the cursor in this file and resume from it.")] = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print messages as they arrive, each of them once, also those that came since the last time.

    Example: xirtam listen --json --count 1 --timeout 60
    """
    output = Output(as_json=as_json)
    where = context(data_dir, account, passphrase_file)
    run_command(_listen(where, targets or [], output, count, Bookmark(since, ack_file), timeout), output)


class Bookmark:
    """How far a listener has come: in the account, or in a file of its own."""

    def __init__(self, since: int | None, file: Path | None) -> None:
        self._since = since
        self._file = file
        self._chats: dict[str, int] = {}

    async def load(self, client: Client) -> int:
        """Where to go on; raises `Malformed` for a file that holds no cursor."""
        if self._since is not None:
            return self._since
        if self._file is None:
            return await client.listened()
        try:
            return int(self._file.read_text().strip() or 0)
        except FileNotFoundError:
            return 0
        except (OSError, ValueError):
            raise Malformed(f"{self._file} holds no cursor: name another file, or remove it to start over") from None

    async def is_past(self, client: Client, cursor: int, chat: str) -> bool:
        """Whether a run that listened to this chat alone has printed the message at `cursor`."""
        if self._since is not None or self._file is not None:
            return False
        if chat not in self._chats:
            self._chats[chat] = await client.listened(chat)
        return cursor <= self._chats[chat]

    async def store(self, client: Client, cursor: int, chat: str | None) -> None:
        """Notes that everything up to `cursor` has been printed, of one chat or of all; a crash leaves the old cursor or the new."""
        if self._file is not None:
            beside = self._file.with_name(self._file.name + ".new")
            with beside.open("w") as file:
                file.write(f"{cursor}\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._file)
        elif self._since is None:
            await client.mark_listened(cursor, chat)


class Listening:
    """One run of the command: prints what there is, then what comes."""

    def __init__(self, output: Output, chats: set[str], count: int | None, bookmark: Bookmark) -> None:
        self._output = output
        self._chats = chats
        self._left = count
        self._bookmark = bookmark
        self._news: asyncio.Queue[Event] = asyncio.Queue()
        self._standings: dict[str, Standing] = {}
        self._amended: dict[str, Marks] = {}

    async def run(self, client: Client) -> None:
        """Prints until the wanted number of messages has come; without one, for ever."""
        loop = asyncio.get_running_loop()

        def hear(event: Event) -> None:
            loop.call_soon_threadsafe(self._hear, event)

        unsubscribe = client.subscribe(hear)
        try:
            cursor = await self._bookmark.load(client)
            while True:
                cursor = await self._print_received(client, cursor)
                if self._left == 0:
                    return
                await self._wait_for_message(client)
        finally:
            unsubscribe()

    def _hear(self, event: Event) -> None:
        match event:
            case ChatChanged(chat):
                self._standings[chat.id] = chat.standing
            case ChatRemoved(chat):
                self._standings.pop(chat, None)
            case _:
                pass
        self._news.put_nowait(event)

    def exit(self) -> Exit:
        """The status for a run that its time limit ended: a failure where messages that were waited for are missing."""
        return Exit.FAILED if self._left else Exit.DONE

    async def _print_received(self, client: Client, cursor: int) -> int:
        while page := await client.received(cursor):
            for received in page:
                cursor = received.cursor
                chat = received.message.chat
                if self._wants(chat) and not await self._bookmark.is_past(client, cursor, chat):
                    self._print(received.message, cursor, is_request=await self._is_request(client, chat))
                    # Printing and noting it are one step: a time limit that ends in between would have it printed again.
                    noting = asyncio.ensure_future(self._bookmark.store(client, cursor, chat if self._chats else None))
                    try:
                        await asyncio.shield(noting)
                    except asyncio.CancelledError:
                        await noting
                        raise
                    if self._left == 0:
                        return cursor
        return cursor

    def _wants(self, chat: str | None) -> bool:
        return not self._chats or chat in self._chats

    async def _is_request(self, client: Client, chat: str) -> bool:
        """Whether the chat is with somebody whom nobody has accepted yet."""
        if chat not in self._standings:
            self._standings |= {each.id: each.standing for each in await client.chats()}
        return self._standings.get(chat) is Standing.REQUEST

    def _print(self, message: Message, cursor: int, *, is_request: bool) -> None:
        found = message_object(message) | {"request": is_request, "cursor": cursor}
        self._output.result(found, ("(request) " if is_request else "") + message_words(message))
        if self._left is not None:
            self._left -= 1

    def _is_amended(self, message: Message) -> bool:
        """Whether a message has been edited, withdrawn or reacted to since that was last told."""
        marks = (message.text if message.is_edited else None, message.is_withdrawn, message.reactions)
        before = self._amended.pop(message.id, _UNTOUCHED)
        if marks != _UNTOUCHED:
            self._amended[message.id] = marks
            while len(self._amended) > _MOST_AMENDED:
                del self._amended[next(iter(self._amended))]
        return marks != before

    async def _wait_for_message(self, client: Client) -> None:
        """Prints other events until a message has come; asks now and then, in case an event was missed."""
        while True:
            try:
                async with asyncio.timeout(_RECHECK_S):
                    event = await self._news.get()
            except TimeoutError:
                await client.status()  # raises where the engine is gone
                return
            if isinstance(event, MessageAdded) and not event.message.mine:
                return
            self._tell(event)

    def _tell(self, event: Event) -> None:
        match event:
            case MessageAdded(message) | MessageChanged(message) if self._wants(message.chat):
                if message.mine:
                    self._output.event(message_object(message, "state"))
                if self._is_amended(message):
                    self._output.event(message_object(message, "changed"))
            case HistoryAdded(chat) if self._wants(chat):
                self._output.event({"event": "history", "chat": chat})
            case ChatChanged(chat) if self._wants(chat.id):
                self._output.event(chat_object(chat))
            case AlarmRaised(text, chat) if chat is None or self._wants(chat):
                self._output.event({"event": "security", "text": text, "chat": chat})
                if not self._output.as_json:
                    self._output.note(f"security alarm: {text}")
            case StatusChanged(status):
                self._output.event(status_object(status, "connection"))
            case _:
                return


async def _listen(
    where: Context, targets: list[str], output: Output, count: int | None, bookmark: Bookmark, timeout_s: float | None
) -> Exit:
    async with opened(where) as client:
        listening = Listening(output, {await known_chat(client, target) for target in targets}, count, bookmark)
        try:
            async with asyncio.timeout(timeout_s):
                await listening.run(client)
        except TimeoutError:
            return listening.exit()
    return Exit.DONE
