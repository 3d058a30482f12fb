"""Proof that a directory lied, kept for good: it may be needed long after the alarm was acknowledged."""

from xirtam_core.chat import Evidence
from xirtam_core.storage.database import Database

_MOST = 100


def add(database: Database, found: Evidence) -> None:
    """Keeps `found`, unless the same proof is there already or there is more than anybody could need."""
    database.execute(
        "INSERT INTO evidence (found_s, source, summary, proof) SELECT ?, ?, ?, ?"
        " WHERE (SELECT count(*) FROM evidence) < ? AND NOT EXISTS"
        " (SELECT 1 FROM evidence WHERE source = ? AND summary = ? AND proof = ?)",
        found.found_s, found.source, found.summary, found.proof, _MOST, found.source, found.summary, found.proof,
    )  # fmt: skip


def everything(database: Database) -> list[Evidence]:
    """All that was ever found, oldest first."""
    rows = database.rows("SELECT found_s, source, summary, proof FROM evidence ORDER BY id")
    return [Evidence(found_s=found, source=source, summary=words, proof=proof) for found, source, words, proof in rows]
