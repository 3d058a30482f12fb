"""Accounts of every earlier version open, with all that was in them."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from tests.sim.virtual_time import simulated, until
from tests.sim.world import KEY, SimDevice, World
from xirtam_core.chat import Reaction, SendState
from xirtam_core.errors import Locked
from xirtam_core.groups import GroupState
from xirtam_core.names import ServerName, Username
from xirtam_core.people import Standing
from xirtam_core.protocol.account_events import GroupJoined
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import chats, groups, health, journal, medium_keys, messages, outbox, settings
from xirtam_core.storage.database import Database
from xirtam_core.storage.outbox import Leg
from xirtam_core.storage.schema import STEPS

ACCOUNTS = Path(__file__).with_name("accounts")
ALICE, BOBBY = Username("@alice"), Username("@bobby")


def earlier(place: Path, step: int = 1) -> Path:
    """A copy of the account that was last opened by the version with this step."""
    return Path(shutil.copy(ACCOUNTS / f"step_{step}.db", place / "alice.db"))


def contents(path: Path) -> tuple[int, int]:
    """The step that a file is at, and how many messages it holds, seen without bringing it up to date."""
    connection = dbapi2.connect(path)
    connection.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    (step,) = connection.execute("PRAGMA user_version").fetchone()
    (count,) = connection.execute("SELECT count(*) FROM messages").fetchone()
    connection.close()
    return step, count


def test_there_is_an_account_of_every_earlier_step() -> None:
    expected = {f"step_{number}.db" for number in range(1, len(STEPS))}
    assert {path.name for path in ACCOUNTS.glob("*.db")} == expected, "see README.md there"


def test_all_that_an_account_of_step_1_held_is_there_and_can_be_used(tmp_path: Path) -> None:
    database = Database(earlier(tmp_path), KEY)
    assert health.problems(database) == []
    account = stored_account.find(database)
    assert account is not None
    assert (account.username, account.server, account.is_registered) == (ALICE, "~harbor", True)
    page = messages.page(database, BOBBY, None, None, 100)
    said = [
        text
        for number in range(12)
        for text in (f"from alice {number}", f"from bobby {number}: żółw, {number} words here")
    ]
    assert [each.text for each in page.messages] == [*said, "queued for bobby"]
    assert [each.text for each in messages.page(database, ALICE, None, None, 9).messages] == [
        "note to self",
        "queued note",
    ]
    chat = chats.find(database, BOBBY)
    assert chat is not None
    assert (chat.unread, chat.draft, chat.server) == (3, "a draft", "~beach")
    assert database.rows("SELECT username, standing FROM people ORDER BY 1") == [(BOBBY, "contact")]
    (followed,) = journal.followed(database, ServerName("~harbor"))
    assert followed.cursor_ns == 1_790_007_236_150_000_000
    assert journal.rejected_count(database) == 1
    assert len(medium_keys.openers(database)) == 2
    to_bobby, to_self = outbox.first(database, BOBBY, Leg.PEER), outbox.first(database, ALICE, Leg.SELF)
    assert to_bobby is not None
    assert to_self is not None
    assert to_bobby.legs == (Leg.PEER, Leg.SELF)
    assert (to_bobby.event.body, to_self.event.body) == (b"queued for bobby", b"queued note")
    for typed in ("żółw words", "zolw words", "ZOLW wor"):
        assert len(messages.search(database, typed, None, 2**62, 100)) == 12, typed
    assert len(messages.search(database, "bobby", BOBBY, 2**62, 100)) == 13
    assert messages.search(database, "bobby", ALICE, 2**62, 100) == []
    assert [each.cursor for each in messages.changes(database, 25, 10)] == [26, 27]
    database.close()


def test_all_that_an_account_of_step_2_held_is_there(tmp_path: Path) -> None:
    database = Database(earlier(tmp_path, 2), KEY)
    assert health.problems(database) == []
    shown = {each.id: each for each in chats.all_chats(database)}
    assert {name: (each.standing, each.unread, each.draft) for name, each in shown.items()} == {
        BOBBY: (Standing.CONTACT, 2, "a draft"), "@carol": (Standing.REQUEST, 1, ""), "@davey": (Standing.BLOCKED, 1, ""),
    }  # fmt: skip
    assert (shown[BOBBY].petname, shown[BOBBY].verified) == ("Bob", True)
    page = {each.text or each.id: each for each in messages.page(database, BOBBY, None, None, 100).messages}
    assert len(page) == 14
    assert page["from alice, edited"].is_edited
    assert page["from bobby 0: żółw"].reactions == (Reaction("👍", (ALICE,)),)
    assert page["an answer"].reply_to == page["from bobby 1: żółw"].id
    assert page["queued for bobby"].state is SendState.QUEUED
    assert sum(each.is_withdrawn for each in page.values()) == 1
    again = messages.find_once(database, BOBBY, "this one")
    assert again is not None
    assert again.message.text == "once only"
    chosen = settings.load(database)
    assert (chosen.send_delivered, chosen.send_read, chosen.send_typing) == (True, False, False)
    (followed,) = journal.followed(database, ServerName("~harbor"))
    assert (followed.cursor_ns, followed.drained_s, followed.is_refused) == (
        1_790_000_185_450_000_001,
        1_790_003_980,
        False,
    )
    assert journal.rejected_count(database) == 1
    (told,) = groups.take_told(database)
    assert GroupJoined.parse(told.encode()).membership().descriptor.init_admin == BOBBY
    database.close()


@simulated
async def test_a_group_that_an_account_of_step_2_was_told_of_is_come_into(tmp_path: Path) -> None:
    world = World(tmp_path)
    harbor = world.server("~harbor")
    alice = world.device("alice", harbor)
    alice.path.unlink()
    earlier(tmp_path, 2)
    await asyncio.sleep(10_000)
    alice.start()
    try:
        await until(lambda: alice.engine.groups.groups(), "it is known", 60)
        (group,) = alice.engine.groups.groups()
        assert (group.state, group.server) == (GroupState.JOINING, "~beach")
        assert groups.take_told(alice.database) == []
    finally:
        await world.close()


@simulated
async def test_an_engine_runs_on_an_account_of_step_1_and_sends_what_was_queued(tmp_path: Path) -> None:
    world = World(tmp_path)
    harbor, beach = world.server("~harbor"), world.server("~beach")
    alice, bobby = world.device("alice", harbor), world.device("bobby", beach)
    alice.path.unlink()
    earlier(tmp_path)
    await asyncio.sleep(10_000)  # to a time after its last one
    alice.start()
    bobby.start()
    try:
        await bobby.gets(alice, "queued for bobby")
        await until(lambda: _all_sent(alice), "the note goes out too", 3600)
        await bobby.has_sent(await bobby.write(alice, "welcome back"))
        await until(lambda: alice.texts(bobby, mine=False)[-1] == "welcome back", "it is written to", 3600)
    finally:
        await world.close()


def _all_sent(device: SimDevice) -> bool:
    return all(each.state is SendState.SENT for peer in (ALICE, BOBBY) for each in device.messages(peer) if each.mine)


def _statements(script: str) -> list[str]:
    """The statements of a step, one by one."""
    found, rest = [""], script
    while rest:
        part, sign, rest = rest.partition(";")
        found[-1] += part + sign
        if dbapi2.complete_statement(found[-1]):
            found.append("")
    return found[:-1]


def test_a_process_that_dies_while_an_account_is_brought_up_to_date_leaves_the_old_version(tmp_path: Path) -> None:
    path = earlier(tmp_path)
    parts = _statements(STEPS[1])
    for survived in range(0, len(parts) + 1, 7):
        if (child := os.fork()) == 0:  # pragma: no cover
            try:
                connection = dbapi2.connect(path, isolation_level=None)
                connection.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("BEGIN IMMEDIATE")
                for part in parts[:survived]:
                    connection.execute(part)
            finally:
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        assert contents(path) == (1, 27)
    database = Database(path, KEY)
    assert health.problems(database) == []
    database.close()
    assert contents(path) == (len(STEPS), 27)


def test_an_account_of_a_newer_version_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = earlier(tmp_path)
    Database(path, KEY).close()
    connection = dbapi2.connect(path)
    connection.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(Locked, match="newer xirtam"):
        Database(path, KEY)
    assert path.read_bytes() == before
