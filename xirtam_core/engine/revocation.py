"""What revoking a device comes to, in words for its owner (spec: devices.md: there is no revocation)."""

from datetime import UTC, datetime

from xirtam_core.devices import Device, Revocation

_LAST_DAY_S = 253_402_300_799


def date(time_s: int) -> str:
    """A day in words, in UTC."""
    return f"{datetime.fromtimestamp(min(time_s, _LAST_DAY_S), UTC):%Y-%m-%d}"


def explain(device: Device) -> Revocation:
    """What has been done, and what cannot be."""
    if device.expires_s is None:
        until, end = "for ever, as its certificate never expires", "That never ends by itself."
    else:
        until = f"until its certificate expires, on {date(device.expires_s)}"
        end = f"That ends on {date(device.expires_s)}."
    not_done = [
        f"Other people's clients go on encrypting to it {until}: nothing in the protocol tells them otherwise.",
        f"It can go on signing messages in your name. {end}",
        "It keeps what it has received, and its access to your mailbox at the home server.",
    ]
    if device.can_issue:
        not_done.append("It may certify further devices, which count for as long as it does.")
    not_done.append(
        "If somebody else has it, only a new root key helps: make a new account, and tell your contacts in person."
    )
    return Revocation(
        device=device.id,
        expires_s=device.expires_s,
        done=(
            "This account's devices encrypt nothing to it any more: neither copies of your messages, nor what they tell each other.",
            "They take no more orders from it: what it says to your other devices is passed over.",
        ),
        not_done=tuple(not_done),
    )
