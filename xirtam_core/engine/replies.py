"""Texts in answer to a message (spec: extensions.md, Control events)."""

from xirtam_core.chat import Message
from xirtam_core.codec.primitives import Hash
from xirtam_core.protocol.control import REPLY, Reply, quote_of
from xirtam_core.protocol.event import TEXT


def compose(answered: Message, text: str, *, is_understood: bool) -> tuple[str, str]:
    """The MIME type and the body, as text, of an answer; for a client that may not know replies, a text with the quote above it."""
    quote = quote_of(answered.text)
    if is_understood:
        return REPLY, Reply(Hash.from_text(answered.id), text, quote).render().decode()
    return TEXT, f"> {quote}\n{text}" if quote else text
