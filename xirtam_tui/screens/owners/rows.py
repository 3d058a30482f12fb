"""Keys that own the account's name, in words."""

from collections.abc import Iterable

from textual.content import Content

from xirtam_core.devices import NameOwnership, OwnerKey, OwnerKind
from xirtam_tui import moments
from xirtam_tui.widgets.facts import Fact


def whose(owner: OwnerKey) -> str:
    """Whose a key is, in a few words."""
    match owner.kind:
        case OwnerKind.THIS_DEVICE:
            return "this device"
        case OwnerKind.DEVICE:
            return owner.label or "a device without a name"
        case OwnerKind.RECOVERY:
            return "a recovery key, on paper"
        case OwnerKind.UNKNOWN:
            return "UNKNOWN"


def row(owner: OwnerKey) -> Content:
    """A key in a line."""
    style = "bold $error" if owner.kind is OwnerKind.UNKNOWN else "bold"
    mark = "⚠ " if owner.kind is OwnerKind.UNKNOWN else ""
    return Content.assemble((f"{mark}{whose(owner)}", style), (f"  {owner.fingerprint[:9]}", "$text-muted"))


def facts(owner: OwnerKey) -> Iterable[Fact]:
    """All that there is to say of a key."""
    yield "fingerprint", Content.styled(owner.fingerprint, "bold")
    yield "since", "not known" if owner.since_s is None else moments.date(owner.since_s)
    yield "known by", _known_by(owner)


def _known_by(owner: OwnerKey) -> str | Content:
    if owner.kind is OwnerKind.UNKNOWN:
        return Content.styled("nobody: remove it, unless you know whose it is", "$error")
    if owner.said_by is not None:
        return f"the word of {owner.said_by}, and no proof"
    return "your certificates" if owner.device is not None else "this device, which was told of it here"


def can_change(seen: NameOwnership) -> list[str]:
    """The other devices that own the name, by what they are called."""
    return [whose(each) for each in seen.owners if each.kind is OwnerKind.DEVICE]


def powerless(seen: NameOwnership) -> str:
    """What a device hears that does not own the name."""
    others = can_change(seen)
    where = f"Do it on {' or '.join(others)}, or make" if others else "Make"
    return f"This device does not own {seen.name}, so it can change nothing here. {where} this one an owner with your recovery key."
