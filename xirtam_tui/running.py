"""The app that a widget runs in, as a type: Textual leaves it half unknown."""

from typing import cast

from textual.app import App
from textual.message_pump import MessagePump


def running_app(pump: MessagePump) -> App[object]:
    """The app that `pump` is part of."""
    return cast("App[object]", pump.app)  # pyright: ignore[reportUnknownMemberType] - see above
