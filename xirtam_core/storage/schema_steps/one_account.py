"""One device at one home server, with direct chats."""

STEP = """
    -- This device's identity and where it lives. One row.
    CREATE TABLE account (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        username TEXT NOT NULL,
        server TEXT NOT NULL,
        join_link TEXT NOT NULL,
        device_secret BLOB NOT NULL,
        chain BLOB NOT NULL,
        token BLOB,                                     -- the home server's, once it has been given
        is_registered INTEGER NOT NULL DEFAULT 0,
        last_sent_at_ns INTEGER NOT NULL DEFAULT 0,     -- an event's time is unique: see messages.md
        directory_alarm TEXT                            -- evidence that the directory lied, until acknowledged
    ) STRICT;

    -- The directory's log as far as it has been verified.
    CREATE TABLE headers (height INTEGER PRIMARY KEY, header BLOB NOT NULL) STRICT;
    CREATE TABLE anchor (id INTEGER PRIMARY KEY CHECK (id = 1), anchor BLOB NOT NULL, seen_s INTEGER NOT NULL) STRICT;

    -- Medium-term secrets, newest last. published_s is NULL until the home server has the key.
    CREATE TABLE medium_keys (
        id INTEGER PRIMARY KEY,
        secret BLOB NOT NULL,
        created_s INTEGER NOT NULL,
        published_s INTEGER
    ) STRICT;

    -- Mailboxes that are read, and how far. drained_s: when the mailbox was last known to hold nothing more. looked_back_ns: where the
    -- cursor was when what lies behind it was last read again, on servers where entries may turn up there.
    CREATE TABLE mailboxes (
        mailbox BLOB PRIMARY KEY,
        server TEXT NOT NULL,
        cursor_ns INTEGER NOT NULL DEFAULT 0,
        looked_back_ns INTEGER NOT NULL DEFAULT 0,
        drained_s INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    -- Entries that arrived and are not understood yet. A row leaves in the transaction that stores what became of it.
    CREATE TABLE journal (
        id INTEGER PRIMARY KEY,
        mailbox BLOB NOT NULL,
        received_at_ns INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_s INTEGER NOT NULL DEFAULT 0,
        reason TEXT,
        kind TEXT NOT NULL,
        inner BLOB NOT NULL,                            -- large and last, so that the rest is read without it
        UNIQUE (mailbox, received_at_ns)
    ) STRICT;
    CREATE INDEX journal_due ON journal (next_attempt_s, id);

    -- Entries that will never be understood, the latest few, with the reason.
    CREATE TABLE quarantine (
        id INTEGER PRIMARY KEY,
        received_at_ns INTEGER NOT NULL,
        kind TEXT NOT NULL,
        inner BLOB NOT NULL,
        reason TEXT NOT NULL
    ) STRICT;
    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;

    -- Servers and people as the directory last gave them. An alarm is a changed identity that nobody has acknowledged.
    CREATE TABLE servers (name TEXT PRIMARY KEY, descriptor BLOB NOT NULL) STRICT;
    CREATE TABLE peers (
        username TEXT PRIMARY KEY,
        root_cert_hash BLOB NOT NULL,
        server TEXT NOT NULL,
        checked_s INTEGER NOT NULL,
        alarm TEXT
    ) STRICT;
    CREATE TABLE peer_keys (
        username TEXT NOT NULL,
        device_hash BLOB NOT NULL,
        medium_pk BLOB NOT NULL,
        created_s INTEGER NOT NULL,
        PRIMARY KEY (username, device_hash)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE chats (
        id TEXT PRIMARY KEY,
        peer TEXT NOT NULL,
        opened_ns INTEGER NOT NULL,
        read_up_to_ns INTEGER NOT NULL DEFAULT 0,
        draft TEXT NOT NULL DEFAULT ''
    ) STRICT;

    -- position orders a chat: the own mailbox's received_at once there is one, the queueing time before.
    -- The outbox knows a message by its id, also while it is under way, so an id is never given twice.
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        chat TEXT NOT NULL REFERENCES chats (id),
        sender TEXT NOT NULL,
        hash BLOB NOT NULL,
        position_ns INTEGER NOT NULL,
        sent_at_ns INTEGER NOT NULL,
        received_at_ns INTEGER,
        mime TEXT NOT NULL,
        body BLOB NOT NULL,
        is_mine INTEGER NOT NULL,
        unchecked_root BLOB,                            -- what it was verified under while the directory could not be asked
        state TEXT,
        failure TEXT,
        UNIQUE (chat, sender, sent_at_ns, hash)         -- the time comes first so that new ones lie side by side
    ) STRICT;
    CREATE UNIQUE INDEX messages_in_order ON messages (chat, position_ns);
    CREATE INDEX messages_from_others ON messages (chat, position_ns) WHERE NOT is_mine;
    CREATE INDEX messages_waiting ON messages (chat, id) WHERE is_mine AND received_at_ns IS NULL;
    CREATE INDEX messages_by_hash ON messages (hash) WHERE is_mine;
    CREATE INDEX messages_unchecked ON messages (sender) WHERE unchecked_root IS NOT NULL;

    -- What is still to be sent: a message goes to the peer's mailbox and to one's own, each on its own.
    CREATE TABLE outbox (
        message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        leg TEXT NOT NULL CHECK (leg IN ('peer', 'self')),
        chat TEXT NOT NULL,
        PRIMARY KEY (message, leg)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX outbox_in_order ON outbox (chat, leg, message);
"""
