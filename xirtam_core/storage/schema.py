"""The account database's tables, as steps forward. A step, once released, never changes.

Times are Unix seconds (`_s`) or nanoseconds (`_ns`); all stay below 2^63. Hashes and keys are raw bytes, structures are BCS.
"""

STEPS = (
    """
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
    """,
    """
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
    """,
    """
    -- Groups that the account is in, was in, or is invited to; chat is the id in hex. descriptor is BCS; server is where the
    -- mailboxes are now. after_ns is where the reading of messages begins. says_accepted: whether this device is the one that
    -- tells the group that the invitation was accepted. presentation is what the roster says of the group, as JSON; members is
    -- how many are active. rekey_s is when this device gives the group its next key, NULL while that is not up to it; a rekey
    -- that is_urgent leaves nothing to chance, and counts who asked for it. Of a group that has moved: snapshot is the hash of the
    -- event that began its time where it is, awaited that of the one with which reading begins for who comes in there; origin is the
    -- server where it was before, arrived_ns when its time where it is began, moved_ns when it last began to move; move_step is what
    -- this device has to do for a move.
    ALTER TABLE groups RENAME TO told_groups;
    CREATE TABLE groups (
        chat TEXT PRIMARY KEY,
        messages_mailbox BLOB NOT NULL UNIQUE,
        management_mailbox BLOB NOT NULL UNIQUE,
        descriptor BLOB NOT NULL,
        server TEXT NOT NULL,
        token BLOB NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('invited', 'joining', 'member', 'leaving', 'left', 'banned')),
        after_ns INTEGER NOT NULL,
        says_accepted INTEGER NOT NULL DEFAULT 0,
        invited_by TEXT,
        presentation TEXT NOT NULL DEFAULT '{}',
        members INTEGER NOT NULL DEFAULT 0,
        is_muted INTEGER NOT NULL DEFAULT 0,
        rekey_s INTEGER,
        is_urgent INTEGER NOT NULL DEFAULT 0,
        snapshot BLOB,
        awaited BLOB,
        origin TEXT,
        arrived_ns INTEGER NOT NULL DEFAULT 0,
        moved_ns INTEGER NOT NULL DEFAULT 0,
        move_step TEXT
    ) STRICT, WITHOUT ROWID;

    -- Where groups are, as is told by direct messages (`group_words.py`).
    CREATE TABLE group_words (
        id INTEGER PRIMARY KEY,
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        server TEXT NOT NULL,
        snapshot BLOB NOT NULL,
        sender TEXT NOT NULL,
        token BLOB,
        event BLOB,
        UNIQUE (chat, snapshot, sender)
    ) STRICT;

    -- What this account had said about a group, with effect, where it was before it came where it is now.
    CREATE TABLE management_kept (
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        at_ns INTEGER NOT NULL,
        command BLOB NOT NULL,
        PRIMARY KEY (chat, at_ns)
    ) STRICT, WITHOUT ROWID;

    -- A group's keys; the one that came last is in use. since_ns is when it came, by the group's server, 0 for an invitation's.
    CREATE TABLE group_keys (
        id INTEGER PRIMARY KEY,
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        key BLOB NOT NULL,
        since_ns INTEGER NOT NULL,
        UNIQUE (chat, since_ns, key)
    ) STRICT;

    -- The roster as far as the management mailbox has been read, and when its named were shut out, and when they were admins.
    CREATE TABLE group_members (
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        username TEXT NOT NULL,
        status TEXT NOT NULL,
        is_admin INTEGER NOT NULL,
        PRIMARY KEY (chat, username)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE group_bans (
        id INTEGER PRIMARY KEY,
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        username TEXT NOT NULL,
        from_ns INTEGER NOT NULL,
        until_ns INTEGER
    ) STRICT;
    CREATE INDEX group_bans_of ON group_bans (chat, username);
    CREATE TABLE group_admins (
        id INTEGER PRIMARY KEY,
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        username TEXT NOT NULL,
        from_ns INTEGER NOT NULL,
        until_ns INTEGER
    ) STRICT;
    CREATE INDEX group_admins_of ON group_admins (chat, username);

    -- When only admins might write.
    CREATE TABLE group_closures (
        id INTEGER PRIMARY KEY,
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        from_ns INTEGER NOT NULL,
        until_ns INTEGER
    ) STRICT;
    CREATE INDEX group_closures_of ON group_closures (chat);

    -- What was said in the management mailbox as far as it has been read, and what of that has had an effect: where an entry turns up
    -- late, the roster is replayed.
    CREATE TABLE management_log (
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        at_ns INTEGER NOT NULL,
        sender TEXT NOT NULL,
        command BLOB NOT NULL,
        has_effect INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (chat, at_ns)
    ) STRICT, WITHOUT ROWID;

    -- Tokens known to be somebody's, by their hashes: issued to them here, or seen on what they sent.
    CREATE TABLE group_tokens (
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        token_hash BLOB NOT NULL,
        username TEXT NOT NULL,
        PRIMARY KEY (chat, token_hash)
    ) STRICT, WITHOUT ROWID;

    -- What is to be done at a group's server about somebody: rights of their tokens, or keys that they have missed, which are those
    -- that came after since_ns.
    CREATE TABLE group_tasks (
        id INTEGER PRIMARY KEY,
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        username TEXT NOT NULL,
        since_ns INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_s INTEGER NOT NULL DEFAULT 0,
        UNIQUE (chat, kind, username)
    ) STRICT;

    -- Invitations that this account has declined, by the hashes of their tokens.
    CREATE TABLE declined_invitations (id INTEGER PRIMARY KEY, token_hash BLOB NOT NULL UNIQUE) STRICT;

    -- What messages were before somebody amended them, for a day: should that turn out not to count. emoji: it was about that, of the
    -- sender's; else about the text.
    CREATE TABLE earlier_states (
        id INTEGER PRIMARY KEY,
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        sender TEXT NOT NULL,
        at_ns INTEGER NOT NULL,
        emoji TEXT,
        body BLOB,
        said_ns INTEGER,
        is_removed INTEGER NOT NULL,
        is_withdrawn INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX earlier_states_in_order ON earlier_states (chat, at_ns);
    CREATE INDEX earlier_states_of ON earlier_states (message);

    -- Pictures of groups, as they were fetched; root_hash tells a group's present one from an earlier.
    CREATE TABLE group_avatars (
        chat TEXT PRIMARY KEY REFERENCES groups (chat) ON DELETE CASCADE,
        root_hash BLOB NOT NULL,
        content BLOB NOT NULL
    ) STRICT;

    -- Devices that were paired here, until they have been told what came between that and their first key; and, on a new device, whom
    -- it has to ask for that. revision is that of messages up to which it was given all.
    CREATE TABLE welcomes (
        device_hash BLOB PRIMARY KEY,
        revision INTEGER NOT NULL,
        at_ns INTEGER NOT NULL,
        is_wanted INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE questions (id INTEGER PRIMARY KEY CHECK (id = 1), issuer BLOB NOT NULL) STRICT;

    -- Names of groups in the directory. name_keys are owner keys of this account's, kept also when the group is not; name_work is what
    -- is to be changed there, in order; name_looks is what is wrong with a name: since when, and whether anybody has been told.
    CREATE TABLE name_keys (
        id INTEGER PRIMARY KEY,
        chat TEXT NOT NULL,
        name TEXT NOT NULL,
        secret BLOB NOT NULL UNIQUE
    ) STRICT;
    CREATE INDEX name_keys_of ON name_keys (chat, name);
    CREATE TABLE name_work (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        name TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('list', 'add owner', 'remove owner')),
        value BLOB NOT NULL,
        UNIQUE (chat, kind, value)
    ) STRICT;
    CREATE TABLE name_looks (
        chat TEXT PRIMARY KEY REFERENCES groups (chat) ON DELETE CASCADE,
        owners TEXT NOT NULL DEFAULT '[]',
        looked_s INTEGER NOT NULL,
        fault TEXT,
        fault_s INTEGER NOT NULL DEFAULT 0,
        is_told INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;

    -- Asking to be let into groups. group_asks are those of others, of whom each has one a group: 'waiting' for a person, 'admitted'
    -- by a link and to be invited at due_s, or 'settled'. asked are one's own.
    CREATE TABLE group_asks (
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        username TEXT NOT NULL,
        sent_at_ns INTEGER NOT NULL,
        note TEXT NOT NULL,
        link BLOB,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'admitted', 'settled')),
        due_s INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (chat, username)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX group_asks_in_state ON group_asks (state, chat);
    CREATE TABLE group_links (
        link BLOB PRIMARY KEY,
        chat TEXT NOT NULL REFERENCES groups (chat) ON DELETE CASCADE,
        expires_s INTEGER NOT NULL,
        uses INTEGER NOT NULL,
        is_here INTEGER NOT NULL                        -- whether this device has made it, and so goes first
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE asked (
        chat TEXT NOT NULL,
        admin TEXT NOT NULL,
        name TEXT,
        asked_ns INTEGER NOT NULL,
        is_refused INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (chat, admin)
    ) STRICT, WITHOUT ROWID;

    ALTER TABLE mailboxes ADD COLUMN is_refused INTEGER NOT NULL DEFAULT 0;     -- its server does not let this account read it
    ALTER TABLE mailboxes ADD COLUMN again_ns INTEGER;      -- from where on it is to be read again, up to the cursor
    ALTER TABLE journal ADD COLUMN sender_token BLOB;   -- the hash of what it was posted with, where the server says
    ALTER TABLE early_controls ADD COLUMN at_ns INTEGER NOT NULL DEFAULT 0;     -- when the server of a group got it
    ALTER TABLE messages ADD COLUMN is_outsiders INTEGER NOT NULL DEFAULT 0;    -- in a group: of somebody who is not in it
    CREATE INDEX messages_of_outsiders ON messages (chat, sender) WHERE is_outsiders;
    ALTER TABLE mailboxes ADD COLUMN own_sent_ns INTEGER NOT NULL DEFAULT 0;    -- when the latest of one's own words there was said
    ALTER TABLE mailboxes ADD COLUMN shift_ns INTEGER NOT NULL DEFAULT 0;       -- added to its server's times, behind those of another
    ALTER TABLE messages ADD COLUMN is_late INTEGER NOT NULL DEFAULT 0;     -- came to a place that was read already, unread itself
    CREATE INDEX messages_late ON messages (chat, position_ns) WHERE is_late;
    ALTER TABLE messages ADD COLUMN mentions_me INTEGER NOT NULL DEFAULT 0;     -- in a group: names this account, or answers it
    CREATE INDEX messages_mentions ON messages (chat, position_ns) WHERE mentions_me;

    -- Keys that own the account's name in the directory. device: whose it is, NULL for a recovery key; secret: of a key of this device
    -- itself, other than its device key. owner_work is what is to be changed there, in order. recovering is the recovery of an account
    -- that has begun and is not finished: by which key, and whether the owners that the name has besides are to stay.
    CREATE TABLE owner_keys (key BLOB NOT NULL UNIQUE, device BLOB, since_s INTEGER, secret BLOB, told_by BLOB) STRICT;
    CREATE TABLE owner_work (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL CHECK (kind IN ('add', 'remove', 'signed')),
        value BLOB NOT NULL,
        UNIQUE (kind, value)
    ) STRICT;
    CREATE TABLE recovering (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        recovery_key BLOB NOT NULL,
        keeps_owners INTEGER NOT NULL
    ) STRICT;

    -- Where a person wants a chat in the list. Whether a group is muted stands with the group.
    ALTER TABLE chats ADD COLUMN is_pinned INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE chats ADD COLUMN is_muted INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE chats ADD COLUMN is_archived INTEGER NOT NULL DEFAULT 0;
    -- The root key before a change that nobody has acknowledged; when a person was last seen to have other devices than before.
    ALTER TABLE peers ADD COLUMN former_root BLOB;
    ALTER TABLE peers ADD COLUMN devices_changed_s INTEGER;

    ALTER TABLE account ADD COLUMN seen_update BLOB;    -- the last update of the account's name that this device has dealt with

    -- The account's latest move to another home server. revision is the last change of a message before it began: what came since,
    -- devices that were left behind for a while may not have. ended_s is NULL while it is under way; failure is why it was given up.
    CREATE TABLE home_move (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        server TEXT NOT NULL,
        old TEXT NOT NULL,
        began_s INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        since BLOB NOT NULL,                            -- the last update of the account's name when it began
        invite BLOB,
        step TEXT NOT NULL,
        is_submitted INTEGER NOT NULL DEFAULT 0,        -- the directory may have been told
        ended_s INTEGER,
        failure TEXT
    ) STRICT;

    -- The secrets whose public keys lie at servers that are not the home: for as long as such a server is read (until_s NULL), and
    -- after another took its place until everything from before until_s has been read.
    CREATE TABLE left_keys (
        server TEXT NOT NULL,
        mailbox BLOB NOT NULL,
        key INTEGER NOT NULL,
        until_s INTEGER,
        PRIMARY KEY (server, mailbox, key)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO left_keys SELECT server, mailbox, left_key, NULL FROM mailboxes WHERE left_key IS NOT NULL;
    ALTER TABLE mailboxes DROP COLUMN left_key;

    -- When this device came to each of the account's latest homes, and the last change of a message before: senders find there at
    -- first the keys of those alone that have come. up_to is the arrival until which another device was given what it had missed.
    CREATE TABLE home_arrivals (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        revision INTEGER NOT NULL,
        at_ns INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE caught_up (device_hash BLOB PRIMARY KEY, up_to INTEGER NOT NULL) STRICT, WITHOUT ROWID;

    -- What this device keeps on servers: the fragments below an attachment's root, where they are, and until when (NULL: for ever).
    CREATE TABLE uploads (
        id INTEGER PRIMARY KEY,
        children BLOB NOT NULL UNIQUE,
        server TEXT NOT NULL,
        until_s INTEGER
    ) STRICT;
    """,
)
