"""Medium-term keys that lie at servers other than the home (spec: client.md, Rotation; extensions.md, Changing home servers).

Senders find there what was published last, for as long as they are sent there: at a server that was left, and at one that the account
is about to move to. Their secrets are kept although the home has newer ones.
"""

from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import Place
from xirtam_core.storage.medium_keys import GRACE_S, MediumSecret


def put(database: Database, place: Place, key: MediumSecret, now_s: int) -> None:
    """Senders find this key at a server from now on, instead of any before."""
    replace(database, place, now_s)
    sql = "INSERT OR REPLACE INTO left_keys (server, mailbox, key, until_s) VALUES (?, ?, ?, NULL)"
    database.execute(sql, place.server, bytes(place.mailbox), key.id)


def replace(database: Database, place: Place, now_s: int) -> None:
    """Another key has taken the place of those that lie at a server: senders may go on using them for a while."""
    sql = "UPDATE left_keys SET until_s = ? WHERE server = ? AND mailbox = ? AND until_s IS NULL"
    database.execute(sql, now_s + GRACE_S, place.server, bytes(place.mailbox))


def forget_unread(database: Database) -> None:
    """Lets go of the keys at servers that are read no more."""
    database.execute(
        "DELETE FROM left_keys WHERE NOT EXISTS (SELECT 1 FROM mailboxes"
        " WHERE mailboxes.server = left_keys.server AND mailboxes.mailbox = left_keys.mailbox)"
    )
