"""Devices in words."""

from datetime import datetime

from textual.content import Content

from xirtam_core.devices import Device
from xirtam_tui import moments


def name(device: Device) -> str:
    """What a device is called."""
    return device.label or ("this device" if device.is_this else "a device without a name")


def row(device: Device, now: datetime) -> Content:
    """A device in two lines: its name and standing, and its fingerprint."""
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
    line = head + Content.styled(" · ", "$text-muted").join(marks)
    return Content("\n").join([line, Content.styled(f"  {device.fingerprint}", "$text-muted")])


def _expiry(device: Device, now: datetime) -> Content:
    if device.expires_s is None:
        return Content.styled("never expires", "$text-muted")
    left_s = device.expires_s - now.timestamp()
    if left_s <= 0:
        return Content.styled("⚠ expired", "$error")
    words = f"expires in {moments.span(left_s)}"
    return Content.styled(words, "$warning" if left_s < 14 * 86_400 else "$text-muted")
