"""What the gallery shows: each screen once, from the states that the snapshots hold, in the order in which one comes to know them."""

from typing import NamedTuple

USUAL, WIDE, NARROW = (100, 28), (140, 34), (60, 24)
DARK, LIGHT, CONTRAST, TERMINAL = "xirtam-dark", "xirtam-light", "xirtam-contrast", "xirtam-terminal"


class Shot(NamedTuple):
    """A picture: the name of its file, the state that it shows, and what it is of."""

    name: str
    state: str
    words: str
    size: tuple[int, int] = USUAL
    theme: str = DARK


GALLERY: dict[str, tuple[Shot, ...]] = {
    "The first minute": (
        Shot("welcome", "welcome", "The first screen", (90, 26)),
        Shot("name-taken", "name_checked", "A name is looked up while one types it", (90, 26)),
        Shot("registering", "progress", "Proof of work, with the time left", (90, 26)),
        Shot("first-chat", "first_chat", "An account without chats says what to do"),
        Shot("new-chat", "new_chat", "Starting a chat by name"),
        Shot("request", "request", "A stranger writes"),
    ),
    "Chats": (
        Shot("chat", "chat", "The list and a chat", (110, 30)),
        Shot("chat-light", "chat", "In the light", (110, 30), LIGHT),
        Shot("chat-contrast", "chat", "High contrast", (110, 30), CONTRAST),
        Shot("chat-terminal", "chat", "In the terminal's own colours", (110, 30), TERMINAL),
        Shot("wide", "chat", "Wide: the list, a chat, and what is known of it", WIDE),
        Shot("narrow", "chat", "Narrow: one pane at a time", NARROW),
        Shot("states", "messages", "What was not sent says so, and what to do"),
        Shot("answer", "answering", "Answering a message"),
        Shot("reacting", "reacting", "Reacting"),
        Shot("menu", "message_menu", "All that can be done about a message"),
        Shot("message", "message_details", "Times, states and checks of a message"),
        Shot("forwarding", "forwarding", "Forwarding"),
        Shot("emoji", "emoji", "Emoji by name"),
        Shot("commands", "commands", "Commands"),
        Shot("arranged", "arranged", "Pinned, muted and archived chats, and mentions"),
        Shot("offline", "offline", "Without a connection"),
    ),
    "Finding": (
        Shot("switcher", "switcher", "Jumping to a chat by a few letters"),
        Shot("palette", "palette", "Any command by its name"),
        Shot("search", "search", "Searching all chats"),
        Shot("help", "help", "Every key"),
    ),
    "Groups": (
        Shot("group", "group", "A group"),
        Shot("mention", "mention_completed", "Mentioning somebody"),
        Shot("invitation", "invitation", "An invitation"),
        Shot("new-group", "new_group", "Making a group"),
        Shot("members", "group_members", "Members, and what each may do"),
        Shot("asking", "group_asking", "Somebody asks to be let in"),
        Shot("pins", "group_pins", "Pinned messages"),
        Shot("rights", "group_settings", "Name and rights"),
        Shot("link", "group_link", "A link that lets people in"),
    ),
    "Whom one talks to": (
        Shot("person", "person", "Who somebody is, with the safety code"),
        Shot("code", "code_picture", "The safety code as a picture"),
        Shot("identity", "identity", "Somebody's keys have changed"),
        Shot("network", "network", "How server and directory are"),
        Shot("alarm", "network_alarm", "A directory that lied, with the proof"),
        Shot("blocking", "blocking", "Blocking somebody"),
    ),
    "Devices and keys": (
        Shot("devices", "devices", "An account's devices"),
        Shot("pairing", "pairing", "Adding a device"),
        Shot("being-paired", "being_paired", "The device that is added"),
        Shot("revoking", "revoking", "Revoking a device"),
        Shot("owners", "owners", "Who owns one's name"),
        Shot("recovery-key", "recovery_key_written", "A recovery key on paper"),
        Shot("recover", "recover", "Recovering an account whose devices are all lost"),
        Shot("backup", "backed_up", "A backup"),
        Shot("restoring", "restoring", "Restoring it"),
        Shot("passphrase", "passphrase", "Unlocking"),
    ),
    "Moving to another server": (
        Shot("home", "home", "Where one is, and where to"),
        Shot("offer", "home_offer", "What moves, before anything does"),
        Shot("moving", "home_proof", "On the way"),
        Shot("moved", "home_done", "There"),
    ),
    "Everything else": (
        Shot("profile", "profile", "One's own account"),
        Shot("settings", "settings", "Settings"),
        Shot("about", "about", "Versions, places on the disk, and the log"),
        Shot("quit", "quit", "Leaving while something is queued"),
    ),
}  # fmt: skip
