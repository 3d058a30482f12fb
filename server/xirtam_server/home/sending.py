"""Sending into a mailbox of a store that other processes change too.

What stands in memory of an access list may be behind. So whoever it would refuse is judged again by the store, and an entry is
written only if the list is still the one by which its sender was let in: sends are judged exactly, whatever hints are lost.
"""

from xirtam_core.codec.primitives import Hash
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.mailbox import rights_of
from xirtam_core.rpc.home_server import AccessDenied, ServerBusy
from xirtam_server.home.open_mailboxes import OpenMailbox, OpenMailboxes
from xirtam_server.storage.interface import AccessChanged, HomeStore

_MOST_ATTEMPTS = 5


async def judge_again(store: HomeStore, mailboxes: OpenMailboxes, sender: Hash, mailbox: Hash) -> OpenMailbox:
    """The mailbox, if the store lets `sender` send to it; raises `AccessDenied`."""
    if store.is_shared:
        await store.refresh((mailbox,))
        found = await mailboxes.find(mailbox, store)
        if found is not None and rights_of(sender, found.state.access).can_send:
            return found
    raise AccessDenied


async def append(
    store: HomeStore, mailboxes: OpenMailboxes, found: OpenMailbox, sender: Hash, message: Blob, ttl: int
) -> int:
    """The `received_at` of the new entry; raises `AccessDenied`, and `ServerBusy` where the list changes all the time."""
    for _ in range(_MOST_ATTEMPTS):
        try:
            return await store.append(found.state, sender, message, ttl)
        except AccessChanged:
            found = await judge_again(store, mailboxes, sender, found.state.name)
    raise ServerBusy
