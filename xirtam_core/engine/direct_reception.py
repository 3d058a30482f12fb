"""The account's own mailbox: direct messages, and copies of what its devices have sent (spec: messages.md, Direct messages)."""

from xirtam_core.codec.integers import LATEST
from xirtam_core.codec.primitives import Hash
from xirtam_core.engine.admission import Admission
from xirtam_core.engine.arrivals import Arrivals
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.reception import Reception, Said
from xirtam_core.errors import Malformed
from xirtam_core.names import Username
from xirtam_core.protocol import direct_message
from xirtam_core.protocol.blob import CONTROL, DIRECT_MESSAGE, MESSAGE_CONTENT, Blob
from xirtam_core.protocol.device_signing import Received
from xirtam_core.protocol.opened import Opened
from xirtam_core.storage import chats, content, medium_keys
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import JournalEntry

_LONGEST_MIME = 256


class DirectReception(Reception):
    """Understands direct messages, with the medium-term secrets that there are when it is made."""

    def __init__(self, database: Database, me: Username, controls: Controls, arrivals: Arrivals) -> None:
        self._database = database
        self._me = me
        self._controls = controls
        self._arrivals = arrivals
        self._admission = Admission(database, me)
        self._openers = medium_keys.openers(database)

    def unseal(self, entry: JournalEntry) -> Received | None:
        """See the base."""
        if entry.kind != DIRECT_MESSAGE:
            return None
        return direct_message.unseal(Blob(entry.kind, direct_message.Base64Bytes(entry.inner)), self._openers)

    def open(self, entry: JournalEntry, received: Received) -> Said:
        """See the base."""
        opened = direct_message.open_signed(received.signed, self._me)
        check(opened)
        return opened

    def take(self, entry: JournalEntry, said: Said, unchecked_root: Hash | None, outcome: Outcome) -> None:
        """See the base."""
        match said:
            case Opened(kind=kind) if kind == CONTROL:
                self._controls.take(said, outcome)
            case Opened(kind=kind) if kind == MESSAGE_CONTENT and self._admission.admits(said):
                if said.chat not in outcome.opened:
                    chats.open_chat(self._database, said.peer, entry.received_at_ns)
                    outcome.opened.add(said.chat)
                self._arrivals.store(said, entry.received_at_ns, outcome, unchecked_root=unchecked_root)
            case _:
                pass  # of a kind that this version does not know, or from somebody whose words are not kept


def check(opened: Opened) -> None:
    """Raises `Malformed` for an event that nobody would send, and for a message whose body is not what its type promises."""
    if opened.event.sent_at > LATEST or len(opened.event.mime) > _LONGEST_MIME:
        raise Malformed("an event outside the bounds of time or type")
    if opened.kind == MESSAGE_CONTENT:
        content.check(opened.event.mime, opened.event.body)
