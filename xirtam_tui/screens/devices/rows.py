"""Devices in words."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from textual.content import Content

from xirtam_core.devices import Device
from xirtam_tui import moments
from xirtam_tui.widgets.facts import Fact

_SOON_S = 14 * 86_400


def name(device: Device) -> str:
    """What a device is called."""
    return device.label or ("this device" if device.is_this else "a device without a name")


def row(device: Device, now: datetime) -> Content:
    """A device in a line: its name and standing."""
    marks: list[Content] = []
    if device.is_this and device.label:
        marks.append(Content.styled("this device", "$accent"))
    if device.is_root:
        marks.append(Content.styled("the first", "$text-muted"))
    if device.is_revoked:
        marks.append(Content.styled("✗ revoked", "$error"))
    elif device.key_created_s is None:
        marks.append(Content.styled("has not joined yet", "$warning"))
    marks.append(_expiry(device, now))
    head = Content.assemble((name(device), "strike" if device.is_revoked else "bold"), "  ")
    return head + Content.styled(" · ", "$text-muted").join(marks)


def _expiry(device: Device, now: datetime) -> Content:
    if device.expires_s is None:
        return Content.styled("never expires", "$text-muted")
    left_s = device.expires_s - now.timestamp()
    if left_s <= 0:
        return Content.styled("⚠ expired", "$error")
    words = f"expires in {moments.span(left_s)}"
    return Content.styled(words, "$warning" if left_s < _SOON_S else "$text-muted")


def facts(device: Device, known: Mapping[str, Device], now: datetime) -> Iterable[Fact]:
    """All that there is to say of a device; `known` are all of the account's, by id."""
    yield "fingerprint", Content.styled(device.fingerprint, "bold")
    yield "added", _added(device, known)
    yield "certificate", _certificate(device, now)
    yield "key", _key(device, now)
    yield "may", "read and write as you" + (", and add other devices" if device.can_issue else "")


def _added(device: Device, known: Mapping[str, Device]) -> str:
    day = "" if device.added_s is None else f"{moments.date(device.added_s)}, "
    if device.issued_by is None:
        return f"{day}as the first of the account"
    issuer = known.get(device.issued_by)
    return f"{day}by {name(issuer) if issuer is not None else f'the device {device.issued_by[:4]}'}"


def _certificate(device: Device, now: datetime) -> str:
    if device.expires_s is None:
        return "never expires"
    verb = "good until" if device.expires_s > now.timestamp() else "has expired on"
    return f"{verb} {moments.date(device.expires_s)}"


def _key(device: Device, now: datetime) -> str:
    """How old the key is that others encrypt to."""
    if device.key_created_s is None:
        return "none yet: it has not joined"
    return f"made {moments.span(max(0.0, now.timestamp() - device.key_created_s))} ago"
