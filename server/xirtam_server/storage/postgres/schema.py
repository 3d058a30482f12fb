"""The home server's tables in PostgreSQL, and how an older database becomes one of today.

Migrations go forward only and each runs once; `schema_version` says how many have run. All of it happens in one transaction under a
lock, so processes that start together wait for the one that is first. Never edit a migration that was released: append another.

`append_entries` does one batch in one statement, which is a transaction of its own: no process holds a lock while it thinks or is
stopped. The order of its steps matters:

1. The writer's row says which batch it did last, so that whoever lost the answer can find out (see `writer.py`). It comes first:
   who asks for it waits for a batch that is under way.
2. The mailboxes are locked in the order of their ids, as everywhere, so that nobody waits in a circle.
3. Only then they are read, by a statement of its own, which sees what those who held the locks before have committed. So cursors
   are given out in the order in which entries become visible.

Its outcome for an entry is `received_at`, or -1 for a full mailbox, -2 for another access list than the sender was judged by (or a
mailbox that is gone); behind these come the mailboxes' last cursors before the batch.
"""

from typing import Any, Final, LiteralString

import psycopg

from xirtam_server.storage.schema import NewerDatabase, OlderDatabase

_LOCK: Final = 0x7869727461_6D
"""An advisory lock's key: the name of the program."""

MIGRATIONS: Final[tuple[LiteralString, ...]] = (
    """
    CREATE TABLE mailbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name bytea NOT NULL UNIQUE,
        owner text,
        last bigint NOT NULL DEFAULT 0,
        entries bigint NOT NULL DEFAULT 0,
        bytes bigint NOT NULL DEFAULT 0,
        acl_version bigint NOT NULL DEFAULT 1
    ) WITH (fillfactor = 50);
    CREATE INDEX mailbox_owner ON mailbox (owner) WHERE owner IS NOT NULL;
    CREATE TABLE access (
        mailbox bigint NOT NULL REFERENCES mailbox ON DELETE CASCADE,
        token_hash bytea NOT NULL,
        can_edit_acl boolean NOT NULL,
        can_send boolean NOT NULL,
        can_recv boolean NOT NULL,
        PRIMARY KEY (mailbox, token_hash)
    );
    CREATE TABLE entry (
        mailbox bigint NOT NULL,
        received_at bigint NOT NULL,
        expires_at bigint NOT NULL,
        sender bytea NOT NULL,
        kind bytea NOT NULL,
        content bytea NOT NULL,
        PRIMARY KEY (mailbox, received_at)
    );
    ALTER TABLE entry ALTER content SET STORAGE EXTERNAL;
    CREATE INDEX entry_expiry ON entry (expires_at) WHERE expires_at < 9223372036854775807;
    CREATE INDEX entry_age ON entry USING brin (received_at) WITH (autosummarize);
    CREATE TABLE writer (
        id uuid PRIMARY KEY,
        batch bigint NOT NULL DEFAULT 0,
        outcomes bigint[] NOT NULL DEFAULT '{}',
        is_fenced boolean NOT NULL DEFAULT false,
        used_at timestamptz NOT NULL DEFAULT now()
    ) WITH (fillfactor = 10);
    ALTER TABLE writer ALTER outcomes SET STORAGE PLAIN;
    CREATE FUNCTION append_entries(
        p_writer uuid, p_batch bigint, p_now bigint, p_most_entries bigint, p_most_bytes bigint,
        p_mailboxes bigint[], p_versions bigint[], p_ranks bigint[], p_sums bigint[], p_lives bigint[],
        p_senders bytea[], p_kinds bytea[], p_contents bytea[]
    ) RETURNS bigint[] LANGUAGE plpgsql AS $$
    DECLARE
        found_outcomes bigint[];
    BEGIN
        UPDATE writer SET batch = p_batch, used_at = now()
            WHERE id = p_writer AND batch = p_batch - 1 AND NOT is_fenced;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'this writer has been replaced' USING ERRCODE = 'XF001';
        END IF;
        PERFORM 1 FROM mailbox WHERE id = ANY (p_mailboxes) ORDER BY id FOR NO KEY UPDATE;
        WITH judged AS (
            SELECT w.place, w.mailbox, w.life, coalesce(m.last, 0) AS last, CASE
                WHEN m.acl_version IS DISTINCT FROM w.version THEN -2
                WHEN m.entries + w.rank > p_most_entries OR m.bytes + w.sum > p_most_bytes THEN -1
                ELSE greatest(m.last + 1, p_now) + w.rank - 1 END AS outcome
            FROM unnest(p_mailboxes, p_versions, p_ranks, p_sums, p_lives) WITH ORDINALITY
                AS w (mailbox, version, rank, sum, life, place)
            LEFT JOIN mailbox m ON m.id = w.mailbox
        ), added AS (
            INSERT INTO entry
            SELECT j.mailbox, j.outcome, CASE j.life WHEN 0 THEN 9223372036854775807 ELSE j.outcome + j.life END,
                c.sender, c.kind, c.content
            FROM unnest(p_senders, p_kinds, p_contents) WITH ORDINALITY AS c (sender, kind, content, place)
            JOIN judged j ON j.place = c.place
            WHERE j.outcome > 0
            RETURNING mailbox, received_at, octet_length(kind) + octet_length(content) AS size
        ), moved AS (
            UPDATE mailbox SET last = a.last, entries = mailbox.entries + a.entries, bytes = mailbox.bytes + a.bytes
            FROM (
                SELECT mailbox, max(received_at) AS last, count(*) AS entries, sum(size)::bigint AS bytes
                FROM added GROUP BY mailbox
            ) a WHERE mailbox.id = a.mailbox
        )
        SELECT array_agg(outcome ORDER BY place) || array_agg(last ORDER BY place) INTO found_outcomes FROM judged;
        UPDATE writer SET outcomes = found_outcomes WHERE id = p_writer;
        RETURN found_outcomes;
    END $$;
    CREATE FUNCTION purge_entries(p_now bigint, p_before bigint, p_most bigint)
        RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
        removed bigint;
        boxes bigint[];
        stamps bigint[];
    BEGIN
        SELECT array_agg(d.mailbox), array_agg(d.received_at) INTO boxes, stamps FROM (
            (SELECT mailbox, received_at FROM entry
                WHERE expires_at <= p_now AND expires_at < 9223372036854775807 LIMIT p_most)
            UNION
            (SELECT mailbox, received_at FROM entry WHERE received_at < p_before AND p_before > 0 LIMIT p_most)
        ) d;
        PERFORM 1 FROM mailbox WHERE id = ANY (boxes) ORDER BY id FOR NO KEY UPDATE;
        WITH gone AS (
            DELETE FROM entry e USING unnest(boxes, stamps) AS d (mailbox, received_at)
            WHERE e.mailbox = d.mailbox AND e.received_at = d.received_at
            RETURNING e.mailbox, octet_length(e.kind) + octet_length(e.content) AS size
        ), less AS (
            UPDATE mailbox SET entries = mailbox.entries - g.entries, bytes = mailbox.bytes - g.bytes
            FROM (SELECT mailbox, count(*) AS entries, sum(size)::bigint AS bytes FROM gone GROUP BY mailbox) g
            WHERE mailbox.id = g.mailbox
        )
        SELECT count(*) INTO removed FROM gone;
        RETURN removed;
    END $$;
    CREATE TABLE account (
        username text PRIMARY KEY,
        created_at bigint NOT NULL,
        prepared_until bigint NOT NULL
    );
    CREATE INDEX account_prepared ON account (prepared_until) WHERE prepared_until > 0;
    CREATE TABLE device (
        username text NOT NULL,
        device bytea NOT NULL,
        token bytea NOT NULL,
        token_hash bytea NOT NULL UNIQUE,
        chain bytea NOT NULL,
        medium_key bytea,
        medium_created bigint NOT NULL DEFAULT -1,
        PRIMARY KEY (username, device)
    );
    CREATE TABLE profile (
        username text PRIMARY KEY,
        created bigint NOT NULL,
        profile bytea NOT NULL
    );
    CREATE TABLE invite (
        token_hash bytea PRIMARY KEY,
        uses bigint NOT NULL,
        expires_at bigint NOT NULL
    );
    CREATE TABLE invited (
        username text PRIMARY KEY,
        token_hash bytea NOT NULL
    );
    CREATE TABLE fragment (
        hash bytea PRIMARY KEY,
        body text NOT NULL UNIQUE,
        size bigint NOT NULL,
        expires_at bigint NOT NULL
    );
    CREATE INDEX fragment_expiry ON fragment (expires_at) WHERE expires_at < 9223372036854775807;
    CREATE TABLE fragment_holder (
        username text NOT NULL,
        hash bytea NOT NULL REFERENCES fragment ON DELETE CASCADE,
        PRIMARY KEY (username, hash)
    );
    CREATE INDEX fragment_holders ON fragment_holder (hash);
    CREATE TABLE fragment_usage (
        username text PRIMARY KEY,
        bytes bigint NOT NULL
    );
    CREATE TABLE doomed_body (
        body text PRIMARY KEY
    );
    CREATE TABLE probe (
        id integer PRIMARY KEY CHECK (id = 0),
        at bigint NOT NULL
    );
    """,
    """
    CREATE TABLE secret (
        id integer PRIMARY KEY CHECK (id = 0),
        value bytea NOT NULL
    );
    CREATE TABLE spent_challenge (
        challenge bytea PRIMARY KEY,
        expires_s bigint NOT NULL
    );
    CREATE INDEX spent_challenge_expiry ON spent_challenge (expires_s);
    """,
)


async def migrate(db: psycopg.AsyncConnection[Any], version: int = len(MIGRATIONS)) -> None:
    """Brings the database to `version`; raises `NewerDatabase` where that would mean going back."""
    async with db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await db.execute("CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)")
        standing = await _standing(db, version)
        for script in MIGRATIONS[standing:version]:
            await db.execute(script)
        await db.execute("DELETE FROM schema_version")
        await db.execute("INSERT INTO schema_version VALUES (%s)", (version,))


async def refuse_older(db: psycopg.AsyncConnection[Any], version: int = len(MIGRATIONS)) -> None:
    """Raises `OlderDatabase` and `NewerDatabase` for a database of another version, or of none."""
    found = await (await db.execute("SELECT to_regclass('schema_version') IS NOT NULL")).fetchone()
    if not (found and found[0]) or await _standing(db, version) < version:
        raise OlderDatabase


async def _standing(db: psycopg.AsyncConnection[Any], newest: int) -> int:
    """How many migrations have run."""
    found = await (await db.execute("SELECT max(version) FROM schema_version")).fetchone()
    standing = (found[0] if found else None) or 0
    if standing > newest:
        raise NewerDatabase("this data was written by a newer xirtam-server: install that version again")
    return standing
