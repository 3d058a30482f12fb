"""Who asks to be let into groups of which this account is an admin, and the invite links that let them in without a person."""

from enum import StrEnum

import msgspec

from xirtam_core.codec.primitives import Hash
from xirtam_core.group_entry import InviteLink, JoinRequest
from xirtam_core.names import Username
from xirtam_core.storage.database import Database, Row

_COLUMNS = "chat, username, sent_at_ns, note, link, state, due_s"


class AskState(StrEnum):
    """How an asking stands."""

    WAITING = "waiting"
    ADMITTED = "admitted"
    SETTLED = "settled"


class Ask(msgspec.Struct, frozen=True):
    """Somebody's last asking about a group; the schema says what the fields are. `link` is the one that they had."""

    chat: str
    username: Username
    sent_at_ns: int
    note: str
    link: Hash | None
    state: AskState
    due_s: int = 0

    def shown(self) -> JoinRequest:
        """As people see it."""
        return JoinRequest(
            group=self.chat,
            user=self.username,
            note=self.note,
            asked_at=self.sent_at_ns,
            has_link=self.link is not None,
        )


class StoredLink(msgspec.Struct, frozen=True):
    """An invite link, by the hash of its secret."""

    link: Hash
    chat: str
    expires_s: int
    uses: int
    is_here: bool

    def is_good(self, now_s: int) -> bool:
        """Whether it lets anybody in now."""
        return self.expires_s > now_s and self.uses > 0

    def shown(self) -> InviteLink:
        """As people see it."""
        return InviteLink(id=self.link.hex(), group=self.chat, expires=self.expires_s, uses=self.uses)


def store(database: Database, ask: Ask) -> None:
    """Keeps an asking in the place of the same one's earlier about that group."""
    sql = f"INSERT OR REPLACE INTO group_asks ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 # no input
    link = None if ask.link is None else bytes(ask.link)
    database.execute(sql, ask.chat, ask.username, ask.sent_at_ns, ask.note, link, ask.state, ask.due_s)


def find(database: Database, chat: str, username: Username) -> Ask | None:
    """Somebody's last asking about a group."""
    found = _all(database, "WHERE chat = ? AND username = ?", chat, username)
    return found[0] if found else None


def in_state(database: Database, state: AskState) -> list[Ask]:
    """All that stand so, in the order in which they were sent."""
    return _all(database, "WHERE state = ? ORDER BY sent_at_ns", state)


def waiting_counts(database: Database, chat: str, username: Username) -> tuple[int, int, int]:
    """How many wait besides this one: for this group, for all, and of this one for other groups."""
    row = database.row(
        "SELECT coalesce(sum(chat = ?1 AND username <> ?2), 0), count(*), coalesce(sum(username = ?2 AND chat <> ?1), 0)"
        " FROM group_asks WHERE state = 'waiting'",
        chat, username,
    )  # fmt: skip
    return (0, 0, 0) if row is None else (row[0], row[1], row[2])


def purge(database: Database, before_ns: int) -> None:
    """Forgets what was settled and sent before a time: such askings count no more, whoever shows them again."""
    database.execute("DELETE FROM group_asks WHERE state = 'settled' AND sent_at_ns < ?", before_ns)


def store_link(database: Database, link: StoredLink) -> None:
    """Keeps an invite link as it is now."""
    sql = "INSERT OR REPLACE INTO group_links (link, chat, expires_s, uses, is_here) VALUES (?, ?, ?, ?, ?)"
    database.execute(sql, bytes(link.link), link.chat, link.expires_s, link.uses, link.is_here)


def links(database: Database, chat: str | None = None) -> list[StoredLink]:
    """The invite links of a group, or of all."""
    sql = (
        "SELECT link, chat, expires_s, uses, is_here FROM group_links WHERE ?1 IS NULL OR chat = ?1 ORDER BY expires_s"
    )
    return [
        StoredLink(Hash(link), of, expires, uses, bool(here))
        for link, of, expires, uses, here in database.rows(sql, chat)
    ]


def find_link(database: Database, link: Hash) -> StoredLink | None:
    """An invite link that is known here."""
    return next((each for each in links(database) if each.link == link), None)


def remove_link(database: Database, link: Hash) -> bool:
    """Forgets an invite link; gives whether there was one."""
    return database.execute("DELETE FROM group_links WHERE link = ?", bytes(link)) > 0


def purge_links(database: Database, now_s: int) -> None:
    """Forgets links that have expired."""
    database.execute("DELETE FROM group_links WHERE expires_s <= ?", now_s)


def _all(database: Database, rest: str, *values: object) -> list[Ask]:
    return [_ask(row) for row in database.rows(f"SELECT {_COLUMNS} FROM group_asks {rest}", *values)]  # noqa: S608 # ours


def _ask(row: Row) -> Ask:
    chat, username, sent_at_ns, note, link, state, due_s = row
    return Ask(chat, Username(username), sent_at_ns, note, None if link is None else Hash(link), AskState(state), due_s)
