"""Control events as anybody could post them, for the tests of what becomes of them."""

from tests import builders
from tests.sim.people import Pair
from tests.sim.world import SimDevice
from xirtam_core.chat import Message
from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.protocol.blob import CONTROL
from xirtam_core.protocol.event import Event, ToUser


def target_of(message: Message) -> Hash:
    return Hash.from_text(message.id)


async def post_control(
    pair: Pair,
    sender: builders.Device,
    mailbox: SimDevice,
    mime: str,
    body: bytes,
    sent_at: int,
    to: SimDevice | None = None,
) -> None:
    """Puts a control event by `sender`, said to `to`, into the mailbox of a device."""
    event = Event(ToUser((to or mailbox).name), sent_at, mime, Base64Bytes(body))
    await pair.world.post(mailbox, builders.sealed_message(sender, event, [mailbox.keys], CONTROL))


def only(device: SimDevice, peer: SimDevice, message_id: str) -> Message:
    """A message of a chat as it is now."""
    return device.engine.conversations.message(peer.name, message_id)
