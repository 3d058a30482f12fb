"""Sample chats, and the app on them: `python -m tests.tui.demo [welcome]`."""

import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.tui.fake_client import ALICE, MINUTE, NOW_NS, FakeClient, FakeMachine
from tests.tui.fake_groups import group, member
from xirtam_core.chat import Message, MessageKind, SendState
from xirtam_core.groups import Group, Status
from xirtam_core.names import Username

_DAY = 24 * 60 * MINUTE
NOW = datetime.fromtimestamp(NOW_NS // 1_000_000_000, UTC)


def frozen_clock() -> datetime:
    """The moment at which the pictures are taken."""
    return NOW


class Script:
    """Writes a chat down, message by message, with the minutes between them."""

    def __init__(self, peer: str, start_ns: int) -> None:
        self.peer, self.at = peer, start_ns
        self.messages: list[Message] = []

    def say(
        self, who: str, text: str, *, after_min: float = 0, state: SendState | None = None, **more: object
    ) -> "Script":
        """`who` ("you" or the peer's name without its sign) says `text`."""
        self.at += int(after_min * MINUTE)
        mine = who == "you"
        values: dict[str, object] = {
            "id": f"{self.peer}-{len(self.messages)}", "chat": self.peer, "mine": mine, "position": len(self.messages) + 1,
            "sender": ALICE if mine or "sender" in more else Username(self.peer), "sent_at": self.at, "received_at": self.at,
            "kind": MessageKind.TEXT, "text": text, "mime": "text/plain", "state": (state or SendState.READ) if mine else None,
        }  # fmt: skip
        self.messages.append(Message(**(values | more)))  # pyright: ignore[reportArgumentType] - of several types
        return self


def bobby() -> list[Message]:
    """A chat that has most of what can be in one."""
    script = Script("@bobby", NOW_NS - _DAY - 200 * MINUTE)
    script.say("bobby", "Morning! Did you get round to reading the draft?")
    script.say(
        "you",
        "Twice. The second half is much better than the first, so I would start there and cut the rest.",
        after_min=4,
    )
    script.say("bobby", "Ha. That is what Carol said, almost word for word 😅", after_min=1)
    script.say(
        "bobby", "Notes are here: https://notes.example.org/draft/2026-11?view=all#second-half (and please be kind)."
    )
    script.say("you", "Thanks, I will.", after_min=9)
    script.at = NOW_NS - 95 * MINUTE
    script.say("bobby", "Is your account on the new server already?")
    script.say("you", "Moved it last night. Nobody noticed, which is the point :)", after_min=2)
    script.say("bobby", "这太好了! 日本語も大丈夫かな？ Wide letters line up, it seems.", after_min=3)
    script.say(
        "you",
        "They do. So do emoji: 👩‍🚀 🏳️‍🌈 👍🏽 and e\u0301 with its accent.",
        state=SendState.DELIVERED,
        after_min=6,
    )
    script.say(
        "you",
        "One more thing before lunch: can you send me the list of people for Saturday? I would like to book the hut today.",
        state=SendState.SENT,
        after_min=20,
    )
    script.say("bobby", "Sure:\n  - Carol and Dave\n  - Erin, if her train is on time\n  - the two of us", after_min=41)
    script.say("bobby", "see you there", after_min=19)
    return script.messages


def climbers(**changes: object) -> tuple[Group, list[Message]]:
    """A group, with what was said in it."""
    shown = group("Climbers", members=4, description="Thursdays, seven o'clock, the old hall", is_admin=True)
    shown = msgspec.structs.replace(shown, **changes)
    script = Script(shown.id, NOW_NS - 30 * MINUTE)

    def say(who: str, text: str, state: SendState | None = None, **more: object) -> None:
        mine = who == "you"
        script.say(
            who, text, sender=ALICE if mine else Username(f"@{who}"), mine=mine, after_min=2, state=state, **more
        )

    say("erin_m", "joined", kind=MessageKind.NOTICE)
    say("bobby", "Who brings the long rope on Thursday?")
    say("carol_w", "I can. Are we still four, @alice?", mentions_me=True)
    say("you", "Five, if Dave's knee holds", state=SendState.SENT)
    say("mallory", "I come too", is_outsiders=True)
    say("bobby", "named the group “Climbers”", kind=MessageKind.NOTICE)
    return shown, script.messages


CLIMBERS_ROSTER = (
    member("@alice", is_admin=True),
    member("@bobby", is_admin=True),
    member("@carol_w"),
    member("@erin_m"),
    member("@dave_hiker", Status.PENDING),
    member("@mallory", Status.BANNED),
)


def demo_client() -> FakeClient:
    """Alice's account, with a handful of chats."""
    client = FakeClient()
    client.add_chat("@bobby", bobby(), unread=2)
    carol = Script("@carol_w", NOW_NS - 103 * MINUTE)
    carol.say("carol_w", "I liked the second half.").say("you", "So did I!", after_min=2, state=SendState.DELIVERED)
    client.add_chat("@carol_w", carol.messages, draft="about the hut: it sleeps eight, so we")
    dave = Script("@dave_hiker", NOW_NS - 210 * MINUTE)
    dave.say("dave_hiker", "who has the map?", received_at=NOW_NS - 150 * MINUTE)
    dave.say("you", "Me, I think", after_min=70)
    dave.say("dave_hiker", "", after_min=3, kind=MessageKind.UNSUPPORTED, mime="image/png")
    dave.say("dave_hiker", "that is the one", verified=False)
    dave.say(
        "you", "Perfect", state=SendState.FAILED, failure="the server ~harbor says the mailbox is full", after_min=2
    )
    dave.say("you", "I will bring it anyway", state=SendState.QUEUED, after_min=1, received_at=None)
    client.add_chat("@dave_hiker", dave.messages)
    erin = Script("@erin_m", NOW_NS - 3 * _DAY)
    erin.say("erin_m", "My train gets in at nine, I hope. Keep a bunk for me?")
    client.add_chat("@erin_m", erin.messages)
    frank = Script("@frankfurter1", NOW_NS - 40 * _DAY).say("you", "Thanks again for everything!")
    client.add_chat(
        "@frankfurter1",
        frank.messages,
        alarm="@frankfurter1 has new identity keys. It may be a new phone, or somebody else.",
    )
    client.set_status(queued=1)
    return client


def main() -> None:
    from xirtam_tui.app import XirtamApp

    os.environ["TZ"] = "UTC"
    time.tzset()
    machine = FakeMachine() if "welcome" in sys.argv else FakeMachine(demo_client())
    with tempfile.TemporaryDirectory() as folder:
        XirtamApp(
            Path(folder), engines=machine, clock=frozen_clock, theme="xirtam-light" if "light" in sys.argv else None
        ).run()


if __name__ == "__main__":
    main()
