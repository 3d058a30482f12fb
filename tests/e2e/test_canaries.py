"""An account's secrets stay where they belong: in its encrypted database and in memory, and in nothing that anybody gets to see."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.canaries import Canaries, files_under, objects_of
from tests.e2e.processes import LIMIT_S, Server
from xirtam_core import Client, JoinLink, KeyPlace, Locked, SendState, Settings, Username, open_account, register
from xirtam_core.accounts import join_by_pairing
from xirtam_core.devices import PairingOffer
from xirtam_core.storage.account_directory import AccountDirectory
from xirtam_core.storage.unlocking import unlock
from xirtam_tui import logs


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> Iterator[logs.LogFile]:
    """The app's log, at its lowest level."""
    file = logs.begin(tmp_path / "logs", "debug")
    logging.getLogger("xirtam_core").debug("the log begins")
    yield file
    file.end()


TEXT, ANSWER, DRAFT = "canary in the coal mine", "canary that answers", "canary half written"
PASSPHRASE, BACKUP, WRONG = "canary of the passphrase", "canary of the backup", "canary that is mistyped"
ALICE, BOBBY = Username("@alice"), Username("@bobby")


async def test_no_file_no_log_and_no_repr_shows_a_secret(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture, log: logs.LogFile
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "xirtam_core")
    canaries = Canaries(text=TEXT, answer=ANSWER, draft=DRAFT, passphrase=PASSPHRASE, backup=BACKUP, mistyped=WRONG)
    link, place = JoinLink.parse(server.join), tmp_path / "people"
    shown: list[str] = []
    alice = await register(place, link, ALICE, lambda _: None, passphrase=PASSPHRASE)
    bobby = await register(place, link, BOBBY, lambda _: None, key_place=KeyPlace.FILE)
    async with alice, bobby, asyncio.timeout(LIMIT_S):
        chat = await alice.start_chat(BOBBY)
        await alice.send_text(chat.id, TEXT)
        heard = await anext(bobby.incoming("test"))
        assert heard.text == TEXT
        await bobby.send_text(heard.chat, ANSWER, reply_to=heard.id)
        answer = await anext(alice.incoming("test"))
        await alice.react(chat.id, answer.id, "👍")
        await alice.set_draft(chat.id, DRAFT)
        assert await alice.search("canary")
        await alice.preferences.change(Settings(send_typing=False))
        await alice.devices.rotate()
        await alice.keeping.backup(str(place / "backup"), BACKUP)
        while_open = files_under(place)
        assert any(path.name.endswith("-wal") and raw for path, raw in while_open.items())
        shown += [repr(each) for client in (alice, bobby) for each in objects_of(client)]
        shown += [repr(each) for each in (heard, answer, chat, await alice.chats(), await alice.status())]
    with pytest.raises(Locked) as caught:
        await open_account(place, ALICE, passphrase=WRONG)
    shown += [str(caught.value), repr(caught.value)]
    async with await open_account(place, ALICE, passphrase=PASSPHRASE) as again:
        await again.keeping.change_key(KeyPlace.FILE)
    for name, passphrase in ((ALICE, None), (BOBBY, None)):
        database = unlock(AccountDirectory(place, name).path, passphrase)
        canaries.learn(database)
        database.close()
    assert canaries.in_files(while_open) == []
    assert canaries.in_files(files_under(place)) == []
    assert [(name, text) for text in shown for name in canaries.in_text(text)] == []
    logged = [f"{record.getMessage()} {record.exc_text} {record.args}" for record in caplog.records]
    assert [(name, text) for text in logged for name in canaries.in_text(text)] == []
    log.settle()
    written = files_under(log.path.parent)
    assert b"the log begins" in written[log.path]
    assert canaries.in_files(written) == []
    assert len(shown) > 100


async def _until(client: Client, condition: Callable[[], Awaitable[object]]) -> None:
    """Waits until a condition holds, which is looked at whenever something happens to `client`."""
    happened, loop = asyncio.Event(), asyncio.get_running_loop()

    def note(_: object) -> None:
        loop.call_soon_threadsafe(happened.set)

    stop = client.subscribe(note)
    try:
        async with asyncio.timeout(LIMIT_S):
            while not await condition():
                await happened.wait()
                happened.clear()
    finally:
        stop()


async def _is_sent(client: Client, chat: str) -> bool:
    return (await client.history(chat)).messages[-1].state in (SendState.SENT, SendState.READ)


async def test_pairing_and_an_export_show_no_secret(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture, log: logs.LogFile
) -> None:
    """The code crosses the screens of both devices, the history a server; an export shows the messages, and nothing else."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "xirtam_core")
    canaries = Canaries(text=TEXT, answer=ANSWER, passphrase=PASSPHRASE)
    link, phone, tablet, export = JoinLink.parse(server.join), tmp_path / "phone", tmp_path / "tablet", tmp_path / "out"
    offers: asyncio.Queue[PairingOffer] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def show(offer: PairingOffer) -> None:
        loop.call_soon_threadsafe(offers.put_nowait, offer)

    async with await register(phone, link, ALICE, lambda _: None, passphrase=PASSPHRASE) as alice:
        note = await alice.start_chat(ALICE)
        await alice.send_text(note.id, TEXT)
        await _until(alice, lambda: _is_sent(alice, note.id))  # an archive holds what a server has
        joining = asyncio.create_task(join_by_pairing(tablet, link, ALICE, show, passphrase=PASSPHRASE))
        async with asyncio.timeout(LIMIT_S):
            offer = await offers.get()
            waiting = files_under(tablet)
            device = await alice.devices.pair(offer.code)
            async with await joining as second:
                await _until(second, lambda: second.search(TEXT))
                shown = [repr(each) for client in (alice, second) for each in objects_of(client)]
        shown += [offer.code, repr(offer), repr(device)]
        assert await alice.keeping.export(str(export)) == 1
    assert TEXT in export.read_text()
    for place in (phone, tablet):
        database = unlock(AccountDirectory(place, ALICE).path, PASSPHRASE)
        canaries.learn(database)
        database.close()
    assert canaries.in_bytes(export.read_bytes()) == ["text"]
    assert canaries.in_files({**waiting, **files_under(phone), **files_under(tablet)}) == []
    assert Canaries(text=TEXT, passphrase=PASSPHRASE).in_files(files_under(tmp_path / "server")) == []
    assert [(name, text) for text in shown for name in canaries.in_text(text)] == []
    logged = [f"{record.getMessage()} {record.exc_text} {record.args}" for record in caplog.records]
    assert [(name, text) for text in logged for name in canaries.in_text(text)] == []
    log.settle()
    written = files_under(log.path.parent)
    assert b"the log begins" in written[log.path]
    assert canaries.in_files(written) == []
