"""The account itself in its database: who this device is and where it lives."""

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AuthToken, Hash, SigningSecret
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.storage.database import Database


class Account(msgspec.Struct, frozen=True):
    """This device's identity. `link` is the network it belongs to, `token` what its home server knows it by."""

    username: Username
    server: ServerName
    link: JoinLink
    device_secret: SigningSecret
    chain: CertificateChain
    token: AuthToken | None
    is_registered: bool

    @property
    def device_hash(self) -> Hash:
        """This device's name; for a user's first device also the root of their identity."""
        return self.chain.this.device_hash()

    @property
    def root_hash(self) -> Hash:
        """The root of this account's identity: the name of its first device."""
        return self.chain.root.device_hash()


def create(database: Database, account: Account) -> None:
    """Stores the account of a new database."""
    database.execute(
        "INSERT INTO account (id, username, server, join_link, device_secret, chain) VALUES (1, ?, ?, ?, ?, ?)",
        account.username,
        account.server,
        str(account.link),
        bytes(account.device_secret),
        bcs.encode(account.chain),
    )


def find(database: Database) -> Account | None:
    """The account, or None in a database that was made and not filled."""
    row = database.row("SELECT username, server, join_link, device_secret, chain, token, is_registered FROM account")
    if row is None:
        return None
    username, server, link, secret, chain, token, is_registered = row
    return Account(
        Username(username),
        ServerName(server),
        JoinLink.parse(link),
        SigningSecret(secret),
        bcs.decode(CertificateChain, chain),
        None if token is None else AuthToken(token),
        bool(is_registered),
    )


def store_token(database: Database, token: AuthToken) -> None:
    """Keeps what the home server knows this device by."""
    database.execute("UPDATE account SET token = ?", bytes(token))


def store_chain(database: Database, chain: CertificateChain) -> None:
    """Keeps another chain of this device; the home server has not seen it yet."""
    database.execute("UPDATE account SET chain = ?", bcs.encode(chain))


def store_home(database: Database, server: ServerName, token: AuthToken) -> None:
    """The account lives at another server from now on."""
    database.execute("UPDATE account SET server = ?, token = ?", server, bytes(token))


def store_link(database: Database, link: JoinLink) -> None:
    """Keeps a new way to the same network."""
    database.execute("UPDATE account SET join_link = ?", str(link))


def store_target(database: Database, link: JoinLink, server: ServerName) -> None:
    """Keeps where an unfinished registration goes on."""
    database.execute("UPDATE account SET join_link = ?, server = ?, token = NULL", str(link), server)


def store_registered(database: Database) -> None:
    """Notes that the registration has finished."""
    database.execute("UPDATE account SET is_registered = 1")


def next_sent_at(database: Database, now_ns: int) -> int:
    """A time for a new event, later than every one before; call it in the transaction that stores the event."""
    row = database.row(
        "UPDATE account SET last_sent_at_ns = max(last_sent_at_ns + 1, ?) RETURNING last_sent_at_ns", now_ns
    )
    if row is None:
        raise AssertionError("an open account has its row")
    return int(row[0])


def seen_update(database: Database) -> Hash | None:
    """The last update of the account's name in the directory that this device has dealt with; None where it has looked at none."""
    row = database.row("SELECT seen_update FROM account")
    return None if row is None or row[0] is None else Hash(row[0])


def store_seen_update(database: Database, update: Hash) -> None:
    """Keeps up to which update of the account's name this device knows where the account was."""
    database.execute("UPDATE account SET seen_update = ?", bytes(update))


def directory_alarm(database: Database) -> str | None:
    """Evidence that the directory lied, in words, until a person has acknowledged it."""
    row = database.row("SELECT directory_alarm FROM account")
    return None if row is None else row[0]


def store_directory_alarm(database: Database, text: str | None) -> None:
    """Keeps the evidence, or forgets it once it is acknowledged."""
    database.execute("UPDATE account SET directory_alarm = ?", text)
