"""`audit`: whether a directory's log holds, from its first header to its anchor."""

import asyncio
import sys
from pathlib import Path

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.crypto import signing
from xirtam_server import known_directory
from xirtam_server.config import ServerConfig, StartFailed
from xirtam_server.data_dir import DIRECTORY_DATABASE
from xirtam_server.directory.audit import AuditProgress, AuditReport, audit
from xirtam_server.identity import DIRECTORY_KEY, find_key


def audit_log(config: ServerConfig, database: Path | None, *, is_elsewhere: bool) -> AuditReport:
    """What an audit finds in `database`, in the data directory's, or over the network; raises as `audit` does, and `StartFailed`."""
    path = database or config.place / DIRECTORY_DATABASE
    if is_elsewhere or (database is None and not path.exists() and config.directory.urls):
        return asyncio.run(_fetch_and_audit(config))
    return asyncio.run(audit(path, _known_key(config), _show))


async def _fetch_and_audit(config: ServerConfig) -> AuditReport:
    known = known_directory.elsewhere(config.directory)
    try:
        return await audit(known.service, known.pk, _show)
    finally:
        await known.close()


def _known_key(config: ServerConfig) -> SigningPublic:
    if config.directory.key is not None:
        return config.directory.key
    secret = find_key(config.keys.directory or config.place / DIRECTORY_KEY)
    if secret is None:
        raise StartFailed(
            f"whose log is it? There is no {DIRECTORY_KEY} in {config.place}: give --data-dir, or the directory's --join"
        )
    return signing.public_of(secret)


def _show(progress: AuditProgress) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rverified up to height {progress.height} of {progress.last_height} ")
        sys.stderr.flush()


def told(report: AuditReport) -> str:
    """The report for a person."""
    counted = f"{report.names} names with {report.updates} updates, up to height {report.height}"
    if report.flaw is not None:
        where = "the anchor" if report.flaw.height is None else f"height {report.flaw.height}"
        return f"{where} does not hold: {report.flaw.reason}. Before it all holds: {counted}"
    signed = "and the anchor is signed" if report.is_signed else "(a database has no anchor to check)"
    return f"everything holds {signed}: {counted}, in {report.took_s:.1f} s"
