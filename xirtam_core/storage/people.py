"""What the account makes of people. Whoever has no row here is unknown."""

from collections.abc import Iterable

import msgspec

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import ServerName, Username
from xirtam_core.people import Contact, Standing
from xirtam_core.storage import profiles
from xirtam_core.storage.database import Database, Row

_COLUMNS = "username, standing, petname, verified_root, features, is_greeted, changed_ns"

IS_VERIFIED = "people.verified_root IS NOT NULL AND people.verified_root = peers.root_cert_hash"
"""Whether what was compared is their present identity: SQL on `people` and `peers`."""
_CONTACTS = (
    f"SELECT people.username, standing, petname, server, {IS_VERIFIED}, features, alarm, display_name"  # noqa: S608 # no input
    f" FROM people LEFT JOIN peers ON peers.username = people.username LEFT JOIN {profiles.TABLE}"
)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody as this account knows them.

    `verified_root` is the root key hash that was compared in person. `features` are what their client understands, None while it has
    said nothing; `is_greeted` says that they have been told what this one understands. `changed_ns` is the time of the last word of
    any of the account's devices on standing, petname and verification.
    """

    username: Username
    standing: Standing
    petname: str | None = None
    verified_root: Hash | None = None
    features: tuple[str, ...] | None = None
    is_greeted: bool = False
    changed_ns: int = 0


def find(database: Database, username: Username) -> Person | None:
    """Somebody, or None where they are unknown."""
    row = database.row(f"SELECT {_COLUMNS} FROM people WHERE username = ?", username)  # noqa: S608 # no input
    return None if row is None else _person(row)


def contact(database: Database, username: Username) -> Contact | None:
    """Somebody with what else is known of them, or None where they are unknown."""
    row = database.row(f"{_CONTACTS} WHERE people.username = ?", username)
    return None if row is None else _contact(row)


def contacts(database: Database) -> list[Contact]:
    """Everybody who is known, by name."""
    return [_contact(row) for row in database.rows(f"{_CONTACTS} ORDER BY people.username")]


def standing(database: Database, username: Username) -> Standing | None:
    """How somebody stands with the account, None where they are unknown."""
    row = database.row("SELECT standing FROM people WHERE username = ?", username)
    return None if row is None else Standing(row[0])


def count(database: Database, of: Standing) -> int:
    """How many people stand so with the account."""
    row = database.row("SELECT count(*) FROM people WHERE standing = ?", of)
    return 0 if row is None else int(row[0])


def store(database: Database, person: Person) -> None:
    """Keeps what the account says of somebody; what their client understands stays as it was."""
    root = None if person.verified_root is None else bytes(person.verified_root)
    database.execute(
        "INSERT INTO people (username, standing, petname, verified_root, changed_ns) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (username) DO UPDATE SET standing = excluded.standing, petname = excluded.petname,"
        " verified_root = excluded.verified_root, changed_ns = excluded.changed_ns",
        person.username, person.standing, person.petname, root, person.changed_ns,
    )  # fmt: skip


def set_features(database: Database, username: Username, features: Iterable[str]) -> bool:
    """Keeps what somebody's client understands, if they are known; gives whether that was news."""
    text = msgspec.json.encode(sorted(features)).decode()
    sql = "UPDATE people SET features = ? WHERE username = ? AND features IS NOT ?"
    return database.execute(sql, text, username, text) > 0


def mark_greeted(database: Database, username: Username) -> None:
    """Notes that somebody has been told what this account's client understands."""
    database.execute("UPDATE people SET is_greeted = 1 WHERE username = ?", username)


def clear_verified(database: Database, username: Username) -> None:
    """What was compared with somebody no longer counts."""
    database.execute("UPDATE people SET verified_root = NULL WHERE username = ?", username)


def make_contact(database: Database, username: Username) -> bool:
    """Makes somebody unknown, or a requester, a contact, without that being anybody's word; gives whether it was news."""
    sql = (
        "INSERT INTO people (username, standing) VALUES (?, 'contact')"
        " ON CONFLICT (username) DO UPDATE SET standing = 'contact' WHERE standing = 'request'"
    )
    return database.execute(sql, username) > 0


def changed_after(database: Database, after_ns: int) -> list[Person]:
    """Everybody of whom something was said after a time."""
    sql = f"SELECT {_COLUMNS} FROM people WHERE changed_ns > ? ORDER BY changed_ns"  # noqa: S608 # no input
    return [_person(row) for row in database.rows(sql, max(0, after_ns))]


def remove(database: Database, username: Username) -> None:
    """Makes somebody unknown."""
    database.execute("DELETE FROM people WHERE username = ?", username)


def features_of(text: str | None) -> tuple[str, ...] | None:
    """What a row says that somebody's client understands."""
    return None if text is None else msgspec.json.decode(text, type=tuple[str, ...])


def _contact(row: Row) -> Contact:
    username, standing, petname, server, is_verified, features, alarm, display_name = row
    return Contact(
        name=Username(username),
        standing=Standing(standing),
        petname=petname,
        server=None if server is None else ServerName(server),
        verified=bool(is_verified),
        features=features_of(features),
        alarm=alarm,
        display_name=display_name,
    )


def _person(row: Row) -> Person:
    username, standing, petname, root, features, is_greeted, changed_ns = row
    return Person(
        username=Username(username),
        standing=Standing(standing),
        petname=petname,
        verified_root=None if root is None else Hash(root),
        features=features_of(features),
        is_greeted=bool(is_greeted),
        changed_ns=changed_ns,
    )
