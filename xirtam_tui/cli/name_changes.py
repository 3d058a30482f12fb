"""Following a change of who owns the account's name until the directory has logged it."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from xirtam_core.client import Client
from xirtam_core.devices import NameOwnership, OwnerKey, OwnerKind
from xirtam_core.errors import Refused
from xirtam_tui.cli.output import Output, rfc3339
from xirtam_tui.cli.progress_line import ProgressLine
from xirtam_tui.cli.waiting import until
from xirtam_tui.text import line

_LOGGED_S = 600.0
"""How long a change may take: several proofs of work, and a directory that logs every half a minute."""
_LATER = "it is being changed, and goes on when xirtam runs"


async def changed(client: Client, change: Callable[[], Awaitable[NameOwnership]], output: Output) -> NameOwnership:
    """Has something changed, shows how far that is, and gives who owns the name then; raises `Refused` where it came to nothing."""
    seen, progress = await change(), ProgressLine(output)

    async def is_logged() -> bool:
        nonlocal seen
        seen = await client.ownership.progress()
        if seen.step is not None:
            progress.show(seen.step, seen.share, seen.seconds_left)
        return not seen.is_pending

    try:
        await until(is_logged, _LOGGED_S, _LATER)
    finally:
        progress.end()
    if seen.trouble is not None:
        raise Refused(seen.trouble)
    return await client.ownership.ownership()


def show_owners(seen: NameOwnership, output: Output) -> None:
    """Shows each key that owns the name."""
    for owner in seen.owners:
        output.result(owner_object(owner), _owner_words(owner))
    if not seen.is_owner:
        output.note("this device does not own the name: it cannot change who does, nor move the account")


def owner_object(owner: OwnerKey) -> dict[str, Any]:
    """An owner as JSON output shows it."""
    fields = {name: value for name, value in msgspec.to_builtins(owner).items() if name != "since_s"}
    return {"event": "owner", **fields, "since": rfc3339(None if owner.since_s is None else owner.since_s * 10**9)}


def _owner_words(owner: OwnerKey) -> str:
    since = "" if owner.since_s is None else f", since {(rfc3339(owner.since_s * 10**9) or '')[:10]}"
    match owner.kind:
        case OwnerKind.THIS_DEVICE:
            whose = "this device"
        case OwnerKind.DEVICE:
            whose = line(owner.label) if owner.label else f"the device {(owner.device or '')[:8]}"
        case OwnerKind.RECOVERY:
            whose = "a recovery key"
        case OwnerKind.UNKNOWN:
            whose = "UNKNOWN: if you do not know whose it is, remove it"
    teller = "" if owner.said_by is None else f", as {line(owner.said_by)} says"
    return f"{owner.fingerprint}  {whose}{since}{teller}"
