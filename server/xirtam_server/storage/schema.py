"""The home server's tables, and how an older database becomes one of today.

Migrations go forward only and each runs once, in its own transaction; SQLite's `user_version` says how many have run. Never edit
one that was released: append another.
"""

import sqlite3
from typing import Final

from xirtam_core.errors import XirtamError

MIGRATIONS: Final = (
    """
    CREATE TABLE mailbox (
        id INTEGER PRIMARY KEY,
        name BLOB NOT NULL UNIQUE,
        owner TEXT,
        last INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        bytes INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX mailbox_owner ON mailbox (owner) WHERE owner IS NOT NULL;
    CREATE TABLE access (
        mailbox INTEGER NOT NULL REFERENCES mailbox,
        token_hash BLOB NOT NULL,
        can_edit_acl INTEGER NOT NULL,
        can_send INTEGER NOT NULL,
        can_recv INTEGER NOT NULL,
        PRIMARY KEY (mailbox, token_hash)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY,
        mailbox INTEGER NOT NULL REFERENCES mailbox,
        received_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        sender BLOB NOT NULL,
        kind TEXT NOT NULL,
        inner BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX entry_order ON entry (mailbox, received_at);
    CREATE INDEX entry_expiry ON entry (expires_at) WHERE expires_at < 9223372036854775807;
    CREATE TRIGGER entry_added AFTER INSERT ON entry BEGIN
        UPDATE mailbox SET last = NEW.received_at, entries = entries + 1,
            bytes = bytes + length(NEW.inner) + length(CAST(NEW.kind AS BLOB)) WHERE id = NEW.mailbox;
    END;
    CREATE TRIGGER entry_removed AFTER DELETE ON entry BEGIN
        UPDATE mailbox SET entries = entries - 1,
            bytes = bytes - length(OLD.inner) - length(CAST(OLD.kind AS BLOB)) WHERE id = OLD.mailbox;
    END;
    CREATE TABLE device (
        user TEXT NOT NULL,
        device BLOB NOT NULL,
        token BLOB NOT NULL,
        token_hash BLOB NOT NULL UNIQUE,
        chain BLOB NOT NULL,
        medium_key BLOB,
        medium_created INTEGER NOT NULL DEFAULT -1,
        PRIMARY KEY (user, device)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE profile (
        user TEXT PRIMARY KEY,
        created INTEGER NOT NULL,
        profile BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE account (
        user TEXT PRIMARY KEY,
        created_at INTEGER NOT NULL,
        prepared_until INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX account_prepared ON account (prepared_until) WHERE prepared_until > 0;
    INSERT INTO account SELECT DISTINCT user, 0, 0 FROM device;
    CREATE TABLE invite (
        token_hash BLOB PRIMARY KEY,
        uses INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE invited (
        user TEXT PRIMARY KEY,
        token_hash BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE fragment (
        hash BLOB PRIMARY KEY,
        body TEXT NOT NULL UNIQUE,
        size INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX fragment_expiry ON fragment (expires_at) WHERE expires_at < 9223372036854775807;
    CREATE TABLE fragment_holder (
        user TEXT NOT NULL,
        hash BLOB NOT NULL REFERENCES fragment ON DELETE CASCADE,
        PRIMARY KEY (user, hash)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX fragment_holders ON fragment_holder (hash);
    CREATE TABLE fragment_usage (
        user TEXT PRIMARY KEY,
        bytes INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER fragment_held AFTER INSERT ON fragment_holder BEGIN
        INSERT INTO fragment_usage SELECT NEW.user, size FROM fragment WHERE hash = NEW.hash
            ON CONFLICT (user) DO UPDATE SET bytes = bytes + excluded.bytes;
    END;
    CREATE TRIGGER fragment_forgotten BEFORE DELETE ON fragment BEGIN
        UPDATE fragment_usage SET bytes = bytes - OLD.size
            WHERE user IN (SELECT user FROM fragment_holder WHERE hash = OLD.hash);
        INSERT INTO doomed_body VALUES (OLD.body);
    END;
    CREATE TABLE doomed_body (
        body TEXT PRIMARY KEY
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE probe (
        only INTEGER PRIMARY KEY CHECK (only = 0),
        at INTEGER NOT NULL
    ) STRICT;
    """,
)

NEWEST: Final = len(MIGRATIONS)
"""The version that this program writes."""


class NewerDatabase(XirtamError):
    """The database was written by a later version of this program."""


class DatabaseUnavailable(XirtamError):
    """The database does not let us in."""


class DatabaseInUse(DatabaseUnavailable):
    """Another process has the database for itself."""


class OlderDatabase(XirtamError):
    """The database is of an earlier version, and is not ours to bring up to date."""

    def __init__(self) -> None:
        super().__init__("this data is of an older version: start the server once, it brings the database up to date")


class DamagedDatabase(XirtamError):
    """The database cannot be read."""


def is_older(db: sqlite3.Connection) -> bool:
    """Whether `migrate` has anything to do."""
    (standing,) = db.execute("PRAGMA user_version").fetchone()
    return standing < NEWEST


def migrate(db: sqlite3.Connection, version: int = len(MIGRATIONS)) -> None:
    """Brings `db` to `version`; raises `NewerDatabase` where that would mean going back."""
    (standing,) = db.execute("PRAGMA user_version").fetchone()
    if standing > version:
        raise NewerDatabase("this data was written by a newer xirtam-server: install that version again")
    for number, script in enumerate(MIGRATIONS[standing:version], standing + 1):
        db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
