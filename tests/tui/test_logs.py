"""The log: where it is, who may read it, how large it gets, and what of a fault is in it."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.demo import demo_client
from tests.tui.fake_client import FakeMachine
from tests.tui.piloting import machine_app
from xirtam_core.errors import Unreachable
from xirtam_tui import data_directory, logs, settings
from xirtam_tui.log_tail import MOST_LINES, LogTail

SAID = "meet me at the old mill"
ours, theirs = logging.getLogger("xirtam_core.test"), logging.getLogger("somebody.else")


@pytest.fixture
def written(tmp_path: Path) -> Iterator[logs.LogFile]:
    file = logs.begin(tmp_path / "logs", "debug")
    yield file
    file.end()


def test_it_is_its_owners_alone_and_says_when_how_bad_and_where(written: logs.LogFile) -> None:
    ours.debug("%d of %s", 3, "\x1b]0;many\x07")
    written.settle()
    (said,) = written.path.read_text().splitlines()
    assert "DEBUG" in said
    assert said.endswith("xirtam_core.test: 3 of ␛]0;many␇")
    assert written.path.stat().st_mode & 0o777 == 0o600
    assert written.path.parent.stat().st_mode & 0o777 == 0o700


def test_it_is_bounded_and_several_may_write(tmp_path: Path) -> None:
    writers = [logs.LogFile(tmp_path, most_bytes=2000) for _ in range(2)]
    for number in range(400):
        record = logging.LogRecord("xirtam_tui", logging.INFO, "", 0, f"line {number}", None, None)
        writers[number % 2].emit(record)
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["xirtam.log", "xirtam.log.1", "xirtam.log.2"]
    assert all(path.stat().st_size <= 2000 for path in files)
    kept = "".join(path.read_text() for path in reversed(files)).splitlines()
    assert [int(each.split()[-1]) for each in kept] == list(range(400 - len(kept), 400))


def test_a_place_that_cannot_be_written_to_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("not a folder")
    file = logs.begin(tmp_path / "logs", "warning")
    ours.error("lost")
    file.end()
    logs.keep_crash(tmp_path / "logs", RuntimeError())
    assert (tmp_path / "logs").read_text() == "not a folder"


def test_a_fault_is_told_by_its_kind_and_its_way_without_what_it_was_about(written: logs.LogFile) -> None:
    try:
        try:
            {}[SAID]
        except KeyError:
            raise ExceptionGroup(SAID, [ValueError(SAID), OSError(28, "No space left", SAID)]) from None
    except ExceptionGroup as fault:
        ours.exception("it broke: %s", fault)
        theirs.error("a task failed\n%s", SAID, exc_info=fault)
    theirs.warning("they were told %s", SAID)
    theirs.info("more than a warning")
    ours.warning("no answer: %s", Unreachable("~harbor is away"))
    written.settle()
    said = written.path.read_text()
    assert SAID not in said
    assert "more than a warning" not in said
    for part in (
        "it broke: ExceptionGroup",
        f"{__name__}:",
        "ValueError",
        "No space left",
        "~harbor is away",
        "were told %s",
    ):
        assert part in said


def test_it_is_in_the_platforms_place_or_in_a_data_directory_that_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(data_directory.ENVIRONMENT, raising=False)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    usual = data_directory.log_directory(data_directory.data_directory(None))
    assert usual.is_relative_to(tmp_path)
    assert not usual.is_relative_to(data_directory.data_directory(None))
    assert data_directory.log_directory(tmp_path / "chosen") == tmp_path / "chosen" / "logs"


def test_its_end_is_followed_also_when_the_file_moves_aside(tmp_path: Path) -> None:
    file = logs.LogFile(tmp_path, most_bytes=4000)
    tail = LogTail(file.path)
    assert not tail.look()

    def write(level: int, *words: str) -> None:
        for each in words:
            file.emit(logging.LogRecord("xirtam_tui", level, "", 0, each, None, None))

    write(logging.INFO, "one", "two")
    assert tail.look()
    assert not tail.look()
    write(logging.ERROR, "three")
    assert tail.look()
    assert [each.split()[-1] for each in tail.lines] == ["one", "two", "three"]
    assert [each.split()[-1] for each in tail.at_least("error")] == ["three"]
    write(logging.INFO, *(f"number {number}" for number in range(80)))
    assert (tmp_path / "xirtam.log.1").exists()
    tail.look()
    assert tail.lines[-1].endswith("number 79")
    file.path.write_bytes(b"x\x1b[2J\n" * 30_000)
    tail.look()
    assert len(tail.lines) == MOST_LINES
    assert set(tail.lines) == {"x␛[2J"}


async def test_a_session_at_the_lowest_level_leaves_nothing_of_what_was_written(tmp_path: Path) -> None:
    settings.save(tmp_path, settings.Settings(log_level=settings.LogLevel.DEBUG), {})
    client = demo_client()
    client.start_error = Unreachable("~harbor does not answer")
    async with machine_app(FakeMachine(client), tmp_path) as driver:
        await driver.sees("see you there")
        await driver.write(SAID)
        await driver.press("enter")
        client.receive("@bobby", SAID + " at nine")
        await driver.sees(SAID + " at nine")
        await driver.press("ctrl+n")
        await driver.write("zelda")
        await driver.press("enter")
        await driver.sees("does not answer")
    written = (tmp_path / "logs" / logs.FILE).read_text()
    assert "DEBUG" in written
    assert "does not answer" in written
    texts = [each.text for messages in client.messages.values() for each in messages if len(each.text) > 8]
    assert [each for each in (*texts, "zelda", "bobby") if each in written] == []
