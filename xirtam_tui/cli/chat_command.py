"""`xirtam chat`: one chat line by line, for a screen reader, a dumb terminal or a pipe.

Nothing is changed once it is printed, but for the line that is being typed on a terminal, which makes room for what comes. That is a
line `name: text`, further lines of one message are indented; of own messages only failures are told, and who reacted to them.
"""

import asyncio
import sys
import uuid
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Annotated

import typer

from xirtam_core.chat import Chat, Message, SendState
from xirtam_core.client import Client
from xirtam_core.errors import IdentityChanged, Malformed, Unreachable
from xirtam_core.events import AlarmRaised, Event
from xirtam_core.names import Username
from xirtam_core.shared_client import open_shared
from xirtam_tui.cli.edited_lines import EditedLines, can_edit
from xirtam_tui.cli.exit_codes import Exit
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, PassphraseOption, context
from xirtam_tui.cli.output import Output
from xirtam_tui.cli.running import run_command
from xirtam_tui.cli.targets import chat_of
from xirtam_tui.cli.typed_lines import TypedLines
from xirtam_tui.text import body, brief, line

_ON_ITS_WAY = (SendState.QUEUED, SendState.SENDING)
_PATIENCE_S = 2.0
_LOOKED_BACK = 100
"""So many of the last messages are known as old ones, when something about them changes, however few of them are shown."""
_QUOTED = 40
_HELP = """\
Type a message and press Enter. End a line with a backslash to go on with another one.
/help shows this, /quit or Ctrl+D ends once everything is sent, Ctrl+C ends at once: what is not sent stays queued.
A message that begins with a slash is written with two."""


def chat(
    target: Annotated[str, typer.Argument(help="Whom: @user, with or without the @, or a group.")],
    limit: Annotated[int, typer.Option(min=0, max=1000, help="How many of the last messages to show first.")] = 10,
    timeout: Annotated[
        float, typer.Option(min=0, help="Seconds to wait at the end for what is not sent; it stays queued after that.")
    ] = 60.0,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Talk to one person, or in a group, line by line; made for screen readers, and for pipes.

    Examples: xirtam chat @bobby    ·    tail -f log | xirtam chat bobby
    """
    output = Output(as_json=False)
    run_command(_chat(context(data_dir, account, passphrase_file), target, limit, timeout, output), output)


async def _chat(where: Context, target: str, limit: int, timeout_s: float, output: Output) -> Exit:
    client = await open_shared(where.data_dir, where.name(), passphrase=where.passphrase())
    async with client:
        found = await chat_of(client, target)
        if found.alarm is not None:
            raise IdentityChanged(f"{found.alarm} Nothing can be sent until the app has shown you that.")
        return await LineChat(client, found, output).run(limit, timeout_s)


class LineChat:
    """One run of the command: shows what there is, then what comes, and sends what is typed."""

    def __init__(self, client: Client, chat: Chat, output: Output) -> None:
        self._client = client
        self._chat = chat
        self._output = output
        self._turn = asyncio.Lock()  # so that a message is known as one's own before its first change is looked at
        self._sent: set[str] = set()
        self._under_way: set[str] = set()
        self._none_under_way = asyncio.Event()
        self._none_under_way.set()
        self._shown: dict[str, str] = {}
        self._reactions: dict[str, list[tuple[Username, str]]] = {}
        self._lines: TypedLines | EditedLines | None = None
        self._has_failed = False

    async def run(self, limit: int, timeout_s: float) -> Exit:
        """Until the input ends and all is sent; raises `Unreachable` where that takes longer than `timeout_s`."""
        await self._note_what_was_there()
        cursor = await self._client.latest_change()
        await self._show_latest(limit)
        if sys.stdin.isatty():
            self._output.note(f"chat with {line(self._chat.title)}: /help for help, Ctrl+D to end")
        self._lines = EditedLines(sys.stdin.fileno()) if can_edit() else TypedLines(sys.stdin.fileno())
        loop = asyncio.get_running_loop()

        def hear(event: Event) -> None:
            loop.call_soon_threadsafe(self._warn, event)

        unsubscribe = self._client.subscribe(hear)
        showing = asyncio.create_task(self._show_changes(cursor))
        sending = asyncio.create_task(self._send_lines(self._lines, timeout_s))
        try:
            done, _ = await asyncio.wait({showing, sending}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            unsubscribe()
            for task in (showing, sending):
                task.cancel()
            await asyncio.gather(showing, sending, return_exceptions=True)
            self._lines.end()
        return Exit.FAILED if self._has_failed else Exit.DONE

    # What comes

    async def _note_what_was_there(self) -> None:
        """Old messages, and reactions to them, are no news when something about them changes."""
        for message in (await self._client.history(self._chat.id, limit=_LOOKED_BACK)).messages:
            self._shown[message.id] = _said(message)
            self._reactions[message.id] = self._by_others(message)

    async def _show_latest(self, limit: int) -> None:
        if limit == 0:
            return
        for message in (await self._client.history(self._chat.id, limit=limit)).messages:
            self._shown.pop(message.id, None)
            await self._show(message)
            self._reactions[message.id] = self._by_others(message)

    async def _show_changes(self, cursor: int) -> None:
        async for change in self._client.follow(cursor):
            async with self._turn:
                if change.message.chat == self._chat.id:
                    await self._take(change.message)

    async def _take(self, message: Message) -> None:
        if message.id not in self._sent:
            await self._show(message)
        elif message.id in self._under_way and message.state not in _ON_ITS_WAY:
            self._is_over(message.id)
            if message.state is SendState.FAILED:
                self._say_not_sent(message.text, message.failure or "the reason is not known")
        self._tell_reactions(message)

    async def _show(self, message: Message) -> None:
        """Prints a message that is new here, or what has become of one that was printed."""
        text = _said(message)
        before = self._shown.get(message.id)
        self._shown[message.id] = text
        if before == text:
            return
        remark = "" if before is None else " (changed)"
        self._print(f"{message.sender.bare}{remark}: {text}")
        if not message.mine:
            await self._client.mark_read(self._chat.id, message.position)

    def _tell_reactions(self, message: Message) -> None:
        before, now = self._reactions.get(message.id, []), self._by_others(message)
        if before != now:
            self._reactions[message.id] = now
        for sender, emoji in now:
            if (sender, emoji) not in before:
                self._print(f'{sender.bare} reacted {line(emoji)} to "{brief(_said(message), _QUOTED)}"')

    def _by_others(self, message: Message) -> list[tuple[Username, str]]:
        return [
            (sender, each.emoji)
            for each in message.reactions
            for sender in each.senders
            if sender != self._client.account
        ]

    def _print(self, words: str) -> None:
        with self._aside():
            self._output.result({}, words)

    def _note(self, words: str) -> None:
        with self._aside():
            self._output.note(words)

    def _aside(self) -> AbstractContextManager[None]:
        return nullcontext() if self._lines is None else self._lines.aside()

    def _warn(self, event: Event) -> None:
        if isinstance(event, AlarmRaised) and event.chat in (None, self._chat.id):
            self._note(f"security alarm: {line(event.text)}")

    # What is typed

    async def _send_lines(self, lines: TypedLines | EditedLines, timeout_s: float) -> None:
        async for text in lines.texts():
            word = text.strip()
            if word == "/quit":
                break
            if word == "/help":
                self._note(_HELP)
            elif text.startswith("/") and not text.startswith("//"):
                self._say_not_sent(text, "there is no such command, /help shows those that there are")
            elif word:
                await self._send(text.removeprefix("/"))
        lines.end()
        await self._wait_until_sent(timeout_s)

    async def _send(self, text: str) -> None:
        async with self._turn:
            try:
                message = await self._client.send_text(self._chat.id, text, once=uuid.uuid4().hex)
            except Malformed as fault:
                self._say_not_sent(text, str(fault))
                return
            self._sent.add(message.id)
            self._under_way.add(message.id)
            self._none_under_way.clear()

    def _is_over(self, message_id: str) -> None:
        self._under_way.remove(message_id)
        if not self._under_way:
            self._none_under_way.set()

    def _say_not_sent(self, text: str, reason: str) -> None:
        self._has_failed = True
        self._note(f"not sent: {line(text)[:40]} ({line(reason)})")

    async def _wait_until_sent(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(min(timeout_s, _PATIENCE_S)):
                await self._none_under_way.wait()
                return
        self._note("waiting until everything is sent; Ctrl+C ends at once and leaves it queued")
        try:
            async with asyncio.timeout(timeout_s):
                await self._none_under_way.wait()
        except TimeoutError:
            raise Unreachable(
                f"{len(self._under_way)} not sent within {timeout_s:g} s: they stay queued and go out when xirtam runs"
            ) from None


def _said(message: Message) -> str:
    """What a message says, safe to print, in such a way that no line of it can pass for another message."""
    if message.is_withdrawn:
        return "[taken back]"
    if not message.text:
        return f"[{line(message.mime)} is not supported by this version]"
    return body(message.text).replace("\n", "\n    ")
