"""Several servers and devices, control events, search."""

STEP = """
    -- Mailboxes are read at any number of servers, each with its own token (NULL: the account's). A mailbox that one is about to
    -- leave is read until it has been quiet for long: quiet_s is when something last came. left_key is the medium-term secret whose
    -- public key stays behind at that server.
    CREATE TABLE followed (
        mailbox BLOB NOT NULL,
        server TEXT NOT NULL,
        token BLOB,
        cursor_ns INTEGER NOT NULL DEFAULT 0,
        looked_back_ns INTEGER NOT NULL DEFAULT 0,
        drained_s INTEGER NOT NULL DEFAULT 0,
        is_leaving INTEGER NOT NULL DEFAULT 0,
        quiet_s INTEGER NOT NULL DEFAULT 0,
        left_key INTEGER,
        PRIMARY KEY (mailbox, server)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO followed (mailbox, server, cursor_ns, looked_back_ns, drained_s)
        SELECT mailbox, server, cursor_ns, looked_back_ns, drained_s FROM mailboxes;
    DROP TABLE mailboxes;
    ALTER TABLE followed RENAME TO mailboxes;

    -- A server's times are unique in its mailbox only, and a mailbox may be read at two servers.
    CREATE TABLE arrived (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        server TEXT NOT NULL,
        mailbox BLOB NOT NULL,
        received_at_ns INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_s INTEGER NOT NULL DEFAULT 0,
        reason TEXT,
        kind TEXT NOT NULL,
        inner BLOB NOT NULL,
        UNIQUE (server, mailbox, received_at_ns)
    ) STRICT;
    INSERT INTO arrived (server, mailbox, received_at_ns, attempts, next_attempt_s, reason, kind, inner)
        SELECT account.server, mailbox, received_at_ns, attempts, next_attempt_s, reason, kind, inner FROM journal, account
        ORDER BY journal.id;
    DROP TABLE journal;
    ALTER TABLE arrived RENAME TO journal;
    CREATE INDEX journal_due ON journal (next_attempt_s, id);

    -- What is still to be sent, in the order in which it was queued: messages, and control events, which have no message (the encoded
    -- event is in `control`). Each goes to the peer's mailbox and then to one's own; a flag stands until that server has it.
    CREATE TABLE sendings (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        chat TEXT NOT NULL,
        message INTEGER UNIQUE REFERENCES messages (id) ON DELETE CASCADE,
        control BLOB,
        to_peer INTEGER NOT NULL,
        to_self INTEGER NOT NULL,
        CHECK ((message IS NULL) != (control IS NULL))
    ) STRICT;
    INSERT INTO sendings (chat, message, to_peer, to_self)
        SELECT chat, message, max(leg = 'peer'), max(leg = 'self') FROM outbox GROUP BY message ORDER BY message;
    DROP TABLE outbox;
    ALTER TABLE sendings RENAME TO outbox;
    CREATE INDEX outbox_to_peer ON outbox (chat, id) WHERE to_peer;
    CREATE INDEX outbox_to_self ON outbox (chat, id) WHERE to_self;

    -- revision: grows with each change of any message, so that a reader can ask for what changed since. reply_to is the hash of the
    -- message that this one answers. An edit replaces edited_body, and the body stays as it was signed. once is what its sender here
    -- knows it by, so that it is not sent again by a call that is repeated. is_old: it came from another device's archive, so it is
    -- news to no bot.
    ALTER TABLE messages ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE messages ADD COLUMN reply_to BLOB;
    ALTER TABLE messages ADD COLUMN edited_body BLOB;
    ALTER TABLE messages ADD COLUMN edited_at_ns INTEGER;
    ALTER TABLE messages ADD COLUMN is_withdrawn INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE messages ADD COLUMN once TEXT;
    ALTER TABLE messages ADD COLUMN is_old INTEGER NOT NULL DEFAULT 0;
    UPDATE messages SET revision = id;
    CREATE UNIQUE INDEX messages_by_revision ON messages (revision);
    CREATE UNIQUE INDEX messages_sent_once ON messages (chat, once) WHERE once IS NOT NULL;
    DROP INDEX messages_by_hash;
    CREATE INDEX messages_by_hash ON messages (hash);

    -- Own messages that a receipt may still have something to say about.
    CREATE INDEX messages_sent ON messages (chat, position_ns) WHERE state = 'sent';
    CREATE INDEX messages_delivered ON messages (chat, position_ns) WHERE state = 'delivered';

    -- The words of messages, by their id; chat is a made-up word for the chat, so that it narrows a search as words do. Letters with a
    -- stroke count as those without, which the tokenizer does for accents alone. See texts.py.
    CREATE VIRTUAL TABLE message_texts USING fts5 (
        text, chat, content = '', contentless_delete = 1, prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2'
    );
    INSERT INTO message_texts (rowid, text, chat)
        SELECT id, replace(replace(replace(replace(replace(replace(
            CAST(body AS TEXT), 'ł', 'l'), 'Ł', 'L'), 'ø', 'o'), 'Ø', 'O'), 'đ', 'd'), 'Đ', 'D'), 'ƿ' || lower(hex(chat))
        FROM messages WHERE mime IN ('text/plain', 'text/markdown') ORDER BY id;

    -- The last word of each person on each emoji of a message.
    CREATE TABLE reactions (
        message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        sender TEXT NOT NULL,
        emoji TEXT NOT NULL,
        sent_at_ns INTEGER NOT NULL,
        is_removed INTEGER NOT NULL,
        PRIMARY KEY (message, sender, emoji)
    ) STRICT, WITHOUT ROWID;

    -- Control events that came before what they are about, for a while.
    CREATE TABLE early_controls (
        id INTEGER PRIMARY KEY,
        chat TEXT NOT NULL,
        sender TEXT NOT NULL,
        target BLOB NOT NULL,
        came_s INTEGER NOT NULL,
        event BLOB NOT NULL,
        UNIQUE (chat, sender, target, event)            -- a receipt may be about two messages
    ) STRICT;
    CREATE INDEX early_controls_by_target ON early_controls (chat, target);

    -- What one makes of people. standing: contact, request (somebody unknown who wrote) or blocked. verified_root is the root key hash
    -- that was compared in person. features is what their client is known to understand, as JSON; NULL while it has said nothing.
    -- changed_ns orders what one's devices say about it.
    CREATE TABLE people (
        username TEXT PRIMARY KEY,
        standing TEXT NOT NULL CHECK (standing IN ('contact', 'request', 'blocked')),
        petname TEXT,
        verified_root BLOB,
        features TEXT,
        is_greeted INTEGER NOT NULL DEFAULT 0,
        changed_ns INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    INSERT INTO people (username, standing)
        SELECT peer, 'contact' FROM chats WHERE peer NOT IN (SELECT username FROM account);

    -- read_told_ns: up to where the account's other devices have been told that a chat has been read. Where another device has read a
    -- message that is not here yet, its hash is kept until it is.
    ALTER TABLE chats ADD COLUMN read_told_ns INTEGER NOT NULL DEFAULT 0;
    UPDATE chats SET read_told_ns = read_up_to_ns;
    CREATE TABLE early_reads (id INTEGER PRIMARY KEY, chat TEXT NOT NULL UNIQUE, target BLOB NOT NULL) STRICT;

    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

    -- This account's devices as this one knows them: what they are called, when they were added (NULL: it was not told), and which
    -- one the account no longer writes to. chain is the latest that was issued here.
    CREATE TABLE devices (
        device_hash BLOB PRIMARY KEY,
        label TEXT,
        chain BLOB,
        added_s INTEGER,
        is_revoked INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;

    -- A device that is about to join its account, until it is one of it: then the account has its row. A bundle brings the chain; a
    -- pairing code has a secret for the reply and a token for the reply's mailbox instead.
    CREATE TABLE joining (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        username TEXT NOT NULL,
        join_link TEXT NOT NULL,
        device_secret BLOB NOT NULL,
        chain BLOB,
        dh_secret BLOB,
        token BLOB,
        began_s INTEGER NOT NULL
    ) STRICT;

    -- Groups that this account is in, as its devices told each other: the body of the own-device event.
    CREATE TABLE groups (id BLOB PRIMARY KEY, server TEXT NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;

    -- Archives of older messages that other devices of the account have offered: root is what has to be fetched, NULL once
    -- that is done or given up.
    CREATE TABLE offered_histories (
        id INTEGER PRIMARY KEY,
        root_hash BLOB NOT NULL UNIQUE,
        root BLOB,
        server TEXT,
        came_s INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_s INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    -- The key of a device that its server names no more is kept, so that an older one cannot come in its place later.
    ALTER TABLE peer_keys ADD COLUMN is_gone INTEGER NOT NULL DEFAULT 0;

    -- Proof that a directory lied, as it came.
    CREATE TABLE evidence (
        id INTEGER PRIMARY KEY,
        found_s INTEGER NOT NULL,
        source TEXT NOT NULL,
        summary TEXT NOT NULL,
        proof TEXT NOT NULL
    ) STRICT;
"""
