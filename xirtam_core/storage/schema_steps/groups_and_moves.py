"""Groups, their names and moves; moving home servers; owners of the name."""

STEP = """
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
    -- What a draft answers, and an own message whose new text is being written, with that.
    ALTER TABLE chats ADD COLUMN draft_reply_to TEXT;
    ALTER TABLE chats ADD COLUMN draft_edit_of TEXT;
    ALTER TABLE chats ADD COLUMN draft_edit TEXT NOT NULL DEFAULT '';
    -- The root key before a change that nobody has acknowledged; when a person was last seen to have other devices than before.
    ALTER TABLE peers ADD COLUMN former_root BLOB;
    ALTER TABLE peers ADD COLUMN devices_changed_s INTEGER;

    -- What people say of themselves, as their servers last showed it (looked_s); created_s is 0 while they have said nothing.
    CREATE TABLE profiles (
        username TEXT PRIMARY KEY,
        root_cert_hash BLOB NOT NULL,
        display_name TEXT,
        created_s INTEGER NOT NULL,
        looked_s INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

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
    -- An archive is none that its user has put there: messages for the account's other devices.
    CREATE TABLE uploads (
        id INTEGER PRIMARY KEY,
        children BLOB NOT NULL UNIQUE,
        server TEXT NOT NULL,
        until_s INTEGER,
        is_archive INTEGER NOT NULL
    ) STRICT;
"""
