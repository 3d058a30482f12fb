"""What revoking a device comes to, in words for its owner (spec: devices.md: there is no revocation)."""

from datetime import UTC, datetime
from enum import Enum, auto

from xirtam_core.devices import Device, Revocation

_LAST_DAY_S = 253_402_300_799
_OWNERS = "Alt+O in the app, or xirtam owners"
"""Whoever reads it has the one or the other before them."""


class Power(Enum):
    """What a device may do with the account's name in the directory."""

    NONE = auto()
    TO_BE_REMOVED = auto()
    """It owns the name, and this device takes that away."""
    OWNER = auto()
    """It owns the name, and this device cannot take that away."""
    NOT_KNOWN = auto()


def date(time_s: int) -> str:
    """A day in words, in UTC."""
    return f"{datetime.fromtimestamp(min(time_s, _LAST_DAY_S), UTC):%Y-%m-%d}"


def explain(device: Device, power: Power, *, unknown: int = 0) -> Revocation:
    """What is done, what cannot be, and what is left to do; `unknown` keys own the name of which nobody has said whose they are."""
    done = [
        "This account's devices encrypt nothing to it any more: neither copies of your messages, nor what they tell each other.",
        "They take no more orders from it: what it says to your other devices is passed over.",
    ]
    if power is Power.TO_BE_REMOVED:
        done.append(
            "Its key is taken from those that own the account's name, as soon as the directory has logged that."
        )
    return Revocation(
        device=device.id,
        expires_s=device.expires_s,
        done=tuple(done),
        not_done=tuple(_not_done(device)),
        next_steps=(*_next_steps(power), *_look_at(unknown)),
    )


def _not_done(device: Device) -> list[str]:
    if device.expires_s is None:
        until, end = "for ever, as its certificate never expires", "That never ends by itself."
    else:
        until = (
            f"until its certificate expires, on {date(device.expires_s)}, or an older one that it was given for longer"
        )
        end = f"That ends on {date(device.expires_s)}, unless it was given an older certificate for longer."
    found = [
        f"Other people's clients go on encrypting to it {until}: nothing in the protocol tells them otherwise.",
        f"It can go on signing messages in your name. {end}",
        "It keeps what it has received, and its access to your mailbox at the home server.",
    ]
    if device.can_issue:
        found.append("It may certify further devices, which count for as long as it does.")
    found.append(
        "If somebody else has it, only a new root key helps: recover the account with its recovery key (on the first screen of the "
        "app, or xirtam recover), or make a new one, and tell your contacts in person."
    )
    return found


def _look_at(unknown: int) -> list[str]:
    if not unknown:
        return []
    keys = "One key owns" if unknown == 1 else f"{unknown} keys own"
    return [
        f"{keys} the account's name of which nobody has said whose it is, or only the device that is revoked: look who owns it "
        f"({_OWNERS} list), and remove what you do not know."
    ]


def _next_steps(power: Power) -> list[str]:
    match power:
        case Power.OWNER:
            return [
                "It still owns the account's name, and this device cannot change that: do it on a device that is an owner, or make "
                f"this one an owner with the recovery key ({_OWNERS} claim), and then remove its key."
            ]
        case Power.NOT_KNOWN:
            return [
                f"The directory could not be asked whether it owns the account's name: look later ({_OWNERS} list), and remove its "
                "key if it does."
            ]
        case Power.NONE | Power.TO_BE_REMOVED:
            return []
