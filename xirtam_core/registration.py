"""Words for making an account: the steps, their progress, and what a name check may say.

The steps themselves are the engine's (`xirtam_core.engine.register`); these values are what a screen or a command shows of them.
"""

from enum import StrEnum

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


class NameAnswer(StrEnum):
    """What the directory says of a name."""

    FREE = "free"
    TAKEN = "taken"
    OURS = "ours"
    """Claimed by a registration of this machine that did not finish: it can be resumed."""
