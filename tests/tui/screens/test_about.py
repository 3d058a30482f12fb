"""About and log: which program this is, where things are, what was logged."""

import logging
from pathlib import Path

from tests.tui.demo import demo_client
from tests.tui.piloting import account_app
from xirtam_tui.logs import LogFile, tail

_LOG = logging.getLogger("xirtam_core.engine.anything")


async def test_the_sheet_shows_versions_and_places_and_the_log_as_it_grows(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path, size=(160, 40)) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("alt+b")
        await driver.sees("About xirtam", "wire protocol v1", "Nothing has been logged")
        (tmp_path / "logs").mkdir()
        (tmp_path / "logs" / "xirtam.log").write_text("12:00 WARNING the server said \x1b[2J odd things\n")
        await driver.sees("the server said", "odd things")
        assert "\x1b" not in driver.text()
        await driver.press("c")
        await driver.sees("Copied")
        assert "the server said" in driver.app.clipboard
        assert str(tmp_path / "logs") in driver.app.clipboard
        await driver.press("escape")
        await driver.sees_not("About xirtam")


def test_what_is_logged_is_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "xirtam.log"
    log = LogFile(path)
    log.start()
    _LOG.warning("something odd")
    _LOG.info("something usual")
    log.stop()
    _LOG.warning("after the end")
    (line,) = tail(path, 10)
    assert line.endswith("WARNING xirtam_core.engine.anything: something odd")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_log_is_bounded_and_each_of_its_files_is_private(tmp_path: Path) -> None:
    path = tmp_path / "xirtam.log"
    log = LogFile(path)
    log.start()
    for number in range(300):
        _LOG.warning("%d %s", number, "x" * 10_000)
    log.stop()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["xirtam.log", "xirtam.log.1", "xirtam.log.2"]
    assert sum(file.stat().st_size for file in files) < 2_000_000
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert tail(path, 5)[-1].split()[4] == "299"


def test_where_nothing_can_be_written_nothing_is_logged_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    log = LogFile(tmp_path / "logs" / "xirtam.log")
    log.start()
    _LOG.warning("lost")
    log.stop()
