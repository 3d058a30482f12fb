"""A storm is worth what it finds: with a fault put into the engine on purpose, one of a few storms fails, and without it all pass."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.sim.storm import blackouts, weather
from tests.sim.virtual_time import simulated
from xirtam_core.engine.amending import Amending
from xirtam_core.protocol.mailbox import MailboxEntry
from xirtam_core.storage import journal, outbox
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import Place
from xirtam_core.storage.messages import StoredMessage
from xirtam_core.storage.outbox import Leg, Sending

_STORMS = 3
_TIMES = 20
_SOON_S = 900.0
"""How long a storm whose devices will never agree is given to do so."""
_append = journal.append


def _move_the_cursor_first(database: Database, place: Place, entries: Sequence[MailboxEntry]) -> int:
    """What the reference does: the cursor is on the disk before what lies before it."""
    newest = max((entry.received_at for entry in entries), default=0)
    sql = "UPDATE mailboxes SET cursor_ns = max(cursor_ns, ?) WHERE mailbox = ? AND server = ?"
    database.execute(sql, newest, bytes(place.mailbox), place.server)
    return _append(database, place, entries)


def _forget_the_own_copy(database: Database, sending: Sending, leg: Leg) -> None:
    """The message counts as sent once the peer has it, and its author's other devices never see it."""
    outbox.drop(database, sending)


def _tell_the_peer_alone(_: Amending, message: StoredMessage) -> list[Leg]:
    """What was said about a message never reaches its author's other devices."""
    return [Leg.PEER]


def _rage(place: Path, seed: int) -> None:
    simulated(blackouts)(_made(place), seed, _TIMES)


def _made(place: Path) -> Path:
    place.mkdir()
    return place


@pytest.mark.parametrize(
    ("module", "name", "mutation"),
    [(journal, "append", _move_the_cursor_first), (outbox, "done", _forget_the_own_copy)],
    ids=["the cursor moves before the entries are kept", "one leg stands for both"],
)
def test_a_fault_that_loses_messages_shows_within_a_few_storms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: object, name: str, mutation: Callable[..., object]
) -> None:
    monkeypatch.setattr(module, name, mutation)
    for seed in range(_STORMS):
        try:
            _rage(tmp_path / str(seed), seed)
        except AssertionError:
            return
    pytest.fail(f"{_STORMS} storms have not shown it")


def test_words_about_messages_that_do_not_reach_all_devices_show_within_a_few_storms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Amending, "_legs", _tell_the_peer_alone)
    for seed in range(_STORMS):
        try:
            simulated(weather)(_made(tmp_path / str(seed)), seed, 20, _SOON_S)
        except AssertionError:
            return
    pytest.fail(f"{_STORMS} storms have not shown it")


@pytest.mark.parametrize("seed", range(_STORMS))
def test_without_a_fault_the_same_storms_pass(tmp_path: Path, seed: int) -> None:
    _rage(tmp_path / "storm", seed)
