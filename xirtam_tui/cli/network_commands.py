"""Commands about what everything rests on: `doctor` and `evidence`."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import msgspec

from xirtam_core.chat import Evidence, Finding
from xirtam_core.errors import NotFound, XirtamError
from xirtam_core.storage import keyring_entries
from xirtam_tui.cli.exit_codes import Exit, exit_of
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, rfc3339
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.data_directory import log_directory
from xirtam_tui.logs import CRASH, FILE, crash_moment
from xirtam_tui.text import line

_LEAST_ROOM = 200 * 2**20
_SMALLEST = (60, 15)


def doctor(
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check network, clock, keyring, terminal and disk, and say what to do about what is not as it should be."""
    output = Output(as_json=as_json)
    run_command(_doctor(context(data_dir, account, passphrase_file), output), output)


async def _doctor(where: Context, output: Output) -> Exit:
    worst = Exit.DONE
    for finding in [
        _terminal(),
        _disk(where.data_dir),
        _log(log_directory(where.data_dir)),
        await asyncio.to_thread(_keyring),
    ]:
        worst = max(worst, _show(finding, output))
    try:
        async with opened(where) as client:
            for finding in await client.trust.check_network():
                worst = max(worst, _show(finding, output))
            if alarm := (await client.status()).alarm:
                advice = "xirtam evidence shows the proof; put the alarm away with xirtam acknowledge once you know whom to believe."
                _show(Finding(what="alarm", is_fine=False, words=alarm, advice=advice), output)
                worst = Exit.ALARM
    except NotFound as missing:
        _show(Finding(what="account", is_fine=True, words=str(missing)), output)
    except XirtamError as fault:
        _show(Finding(what="account", is_fine=False, words=str(fault), advice="The network was not looked at."), output)
        worst = max(worst, exit_of(fault))
    return worst


def _show(finding: Finding, output: Output) -> Exit:
    mark = "ok  " if finding.is_fine else "look"
    words = f"{mark}  {finding.what}: {line(finding.words)}"
    if finding.advice:
        words += f"\n      {line(finding.advice)}"
    output.result({"event": "check", **msgspec.structs.asdict(finding)}, words)
    return Exit.DONE if finding.is_fine else Exit.FAILED


def _terminal() -> Finding:
    """What the app would have to draw on."""
    if not sys.stdout.isatty():
        return Finding(what="terminal", is_fine=True, words="none: the output goes to a file or a program")
    columns, rows = shutil.get_terminal_size()
    colours = "none asked for" if os.environ.get("NO_COLOR") else os.environ.get("COLORTERM") or "as TERM says"
    words = f"{os.environ.get('TERM', 'unknown')}, {columns} × {rows}, colours: {colours}"
    if "utf" not in (sys.stdout.encoding or "").lower():
        advice = "Set a UTF-8 locale, such as LANG=C.UTF-8: names and messages show as question marks otherwise."
        return Finding(what="terminal", is_fine=False, words=f"{words}, no Unicode", advice=advice)
    if os.environ.get("TERM") in (None, "", "dumb"):
        return Finding(
            what="terminal",
            is_fine=False,
            words=f"{words}: the app cannot draw on it",
            advice="Set TERM to what the terminal is, such as xterm-256color; the commands work without.",
        )
    if columns < _SMALLEST[0] or rows < _SMALLEST[1]:
        advice = f"The app wants {_SMALLEST[0]} × {_SMALLEST[1]} at least: make the window larger."
        return Finding(what="terminal", is_fine=False, words=words, advice=advice)
    return Finding(what="terminal", is_fine=True, words=words)


def _disk(data_dir: Path) -> Finding:
    place = next(each for each in (data_dir, *data_dir.parents) if each.exists())
    free = shutil.disk_usage(place).free
    if not os.access(place, os.W_OK):
        advice = "Make it yours to write, or choose another place with --data-dir."
        return Finding(what="disk", is_fine=False, words=f"{place} cannot be written", advice=advice)
    words = f"{free // 2**20:,} MiB free at {place}"
    if free < _LEAST_ROOM:
        advice = "Make room: with a full disk nothing new is kept, and what is on the server waits there."
        return Finding(what="disk", is_fine=False, words=words, advice=advice)
    return Finding(what="disk", is_fine=True, words=words)


def _log(folder: Path) -> Finding:
    """Where the app writes down what goes wrong."""
    words = str(folder / FILE) + ("" if (folder / FILE).exists() else ", nothing yet")
    if (moment := crash_moment(folder)) is not None:
        words += f"; the app broke on {moment:%Y-%m-%d} at {moment:%H:%M}, {folder / CRASH} says where"
    return Finding(what="log", is_fine=True, words=words)


def _keyring() -> Finding:
    if keyring_entries.works():
        return Finding(what="keyring", is_fine=True, words="keeps what it is given")
    words = "none works here: a new account's key goes to a file that you alone can read, or comes from a passphrase"
    return Finding(what="keyring", is_fine=True, words=words)


def evidence(
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the proof that was found of a directory's lies; with --json, as whoever is to judge it needs it."""
    output = Output(as_json=as_json)
    run_command(_evidence(context(data_dir, account, passphrase_file), output), output)


async def _evidence(where: Context, output: Output) -> Exit:
    async with opened(where) as client:
        found = await client.trust.evidence()
    for each in found:
        output.result(_evidence_object(each), f"{rfc3339(each.found_s * 10**9)}  {each.source}: {line(each.summary)}")
    if not found:
        output.note("no lie of the directory has been found")
    return Exit.ALARM if found else Exit.DONE


def _evidence_object(found: Evidence) -> dict[str, object]:
    return {
        "event": "evidence",
        "found_at": rfc3339(found.found_s * 10**9),
        "source": found.source,
        "summary": found.summary,
        "proof": msgspec.Raw(found.proof.encode()),
    }
