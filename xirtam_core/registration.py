"""Words for making an account: the steps, their progress, and what a name check may say.

The steps themselves are the engine's (`xirtam_core.engine.register`); these values are what a screen or a command shows of them.
"""

from enum import StrEnum
from typing import Final

import msgspec


class Step(StrEnum):
    """Where a registration is, in order (spec: devices.md, A new account). Each can be resumed after a crash."""

    CHECK_NAME = "checking the name"
    PROVE_OWNER = "proving work to claim the name"
    AWAIT_OWNER = "waiting for the directory to log the claim"
    PROVE_DESCRIPTOR = "proving work to publish the address"
    AWAIT_DESCRIPTOR = "waiting for the directory to log the address"
    AUTHENTICATE = "signing in to the home server"
    PUBLISH_KEY = "publishing the first encryption key"
    DONE = "done"


class Progress(msgspec.Struct, frozen=True):
    """How far a registration is. `fraction` (0 to 1) and `seconds_left` are set where they can be told: during a proof of work."""

    step: Step
    fraction: float | None = None
    seconds_left: float | None = None


class RecoveryStep(StrEnum):
    """Where the recovery of an account is, in order (docs/recovery.md). Each can be resumed after a crash."""

    LOOK_UP = "looking the account up"
    PROVE_OWNER = "proving work to own the name"
    AWAIT_OWNER = "waiting for the directory to log the new owner"
    PROVE_REMOVAL = "proving work to remove a lost device's key"
    AWAIT_REMOVAL = "waiting for the directory to log the removal"
    PROVE_DESCRIPTOR = "proving work to publish the new root key"
    AWAIT_DESCRIPTOR = "waiting for the directory to log the new root key"
    AUTHENTICATE = "signing in to the home server"
    PUBLISH_KEY = "publishing the first encryption key"
    DONE = "done"


class RecoveryProgress(msgspec.Struct, frozen=True):
    """How far a recovery is; `fraction` and `seconds_left` as in `Progress`."""

    step: RecoveryStep
    fraction: float | None = None
    seconds_left: float | None = None


LOST_BY_RECOVERY: Final = (
    "The messages until now: they were on the lost devices. What others sent since then was sealed to those and cannot be read.",
    "Your contacts, with the names that you gave them and what you had verified: they come back as you write to each other.",
    "Your groups: ask a member of each to invite you again. Names of groups that you owned are the other owners'.",
)
"""What the recovery of an account does not bring back, in sentences for its owner."""

AFTER_RECOVERY: Final = (
    "Everybody who knows you is warned that your identity has changed, and sends you nothing until they have acknowledged that. Tell "
    "them in another way that it was you, and compare safety codes.",
    "The recovery key has been typed into a computer now: make a new one on paper, and have it replace this one (Alt+K in the app, or "
    "xirtam recovery-key create --replace).",
    "If a lost device turns up, do not use it with this account: it is none of its devices any more.",
)
"""What is to be done after a recovery, in sentences for the account's owner."""


class NameAnswer(StrEnum):
    """What the directory says of a name."""

    FREE = "free"
    TAKEN = "taken"
    OURS = "ours"
    """Claimed by a registration of this machine that did not finish: it can be resumed."""
