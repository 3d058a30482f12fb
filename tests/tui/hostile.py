"""What somebody may write who means a terminal, its app or its reader ill; and an account in which they have, everywhere they can.

`python -m tests.tui.hostile` runs the app on it.
"""

import tempfile
from pathlib import Path

import msgspec

from tests.tui.demo import CLIMBERS_ROSTER, Script, frozen_clock
from tests.tui.fake_client import MINUTE, NOW_NS, FakeClient, FakeMachine
from tests.tui.fake_devices import device
from tests.tui.fake_groups import group
from tests.tui.fake_owners import KEY, owner, recovery_owner
from xirtam_core.chat import Message, MessageKind, Reaction, SendState
from xirtam_core.devices import OwnerKind
from xirtam_core.names import Username

_MARKS = "\u0300\u0336\u0489" * 60
_FAMILY = "👨\u200d👩\u200d👧\u200d👦"

CORPUS: dict[str, str] = {
    "clipboard": "\x1b]52;c;UFdORUQ=\x07 and \x1b]52;c;UFdORUQ=\x1b\\",
    "clipboard, C1": "\x9d52;c;UFdORUQ=\x9c",
    "title": "\x1b]0;PWNED\x07\x1b]2;PWNED\x1b\\\x1bkPWNED\x1b\\",
    "clear and home": "\x1b[2J\x1b[H\x1b[3J\x1b[1;1HPWNED",
    "C1 clear": "\x9b2J\x9b1;1HPWNED",
    "alternate screen": "\x1b[?1049l\x1b[?1000l\x1b[?25l\x1bc",
    "answers back": "\x1b[6n\x1b[c\x1b[>c\x1b]11;?\x07\x1b[21t",
    "device control": "\x1bPtmux;\x1b\x1b]52;c;UFdORUQ=\x07\x1b\\ \x90q#0;2;0;0;0\x9c",
    "link to elsewhere": "\x1b]8;;https://evil.example/\x1b\\https://bank.example\x1b]8;;\x1b\\",
    "file link": "file:///etc/passwd javascript:alert(1) https://ok.example/\x1b]8;;\x07",
    "notification": "\x1b]9;PWNED\x07\x1b]777;notify;PWNED;PWNED\x1b\\\x07\x07\x07",
    "all of C0": "".join(map(chr, range(0x20))) + "\x7f",
    "all of C1": "".join(map(chr, range(0x80, 0xA0))),
    "overwriting": "send 10\rsend 99\x08\x08\x0b\x0c\x85\u2028\u2029next",
    "bidi": "\u202eexe.txt\u202c \u2066\u2067\u2068abc\u2069 \u200e\u200f\u061cpay",
    "unseen": "pay\u200b\u2060\ufeff\u00adpal\u3164\u115f\u1160\U000e0041\U000e007f",
    "stacked marks": f"Z{_MARKS}a{_MARKS}l",
    "families": _FAMILY * 200,
    "joiners of nothing": "\u200d\u200c\ufe0f" * 500,
    "wide": "﷽" * 50 + "日本語" * 200,
    "right to left": "שלום עולם مرحبا بالعالم abc",
    "markup": "[bold red]PWNED[/] [@click=app.quit]quit[/] [link=https://evil.example]x[/link] \\[ $accent [[[",
    "prompt": "\nroot@home:~# Enter your passphrase: \n@alice 12:40\n  ✓✓ read\n── 2 new ──",
    "long line": "x" * 10_000,
    "long words": "\t".join(["tab"] * 2_000),
    "many lines": "\n" * 3_000 + "end",
    "broken": "\ud800 \udfff \ufffe\uffff",
}


def spoil(message: Message, text: str) -> Message:
    """A message in which every text that a peer chooses is `text`."""
    return msgspec.structs.replace(
        message, text=text, quote=text, reply_to="m", reactions=(Reaction(text, (Username("@bobby"),)),)
    )


def hostile_client(text: str) -> FakeClient:
    """An account to which `text` has come wherever something can come from others."""
    client = FakeClient()
    script = Script("@bobby", NOW_NS - 60 * MINUTE)
    script.say("bobby", text).say("bobby", "x", mime=text, kind=MessageKind.UNSUPPORTED)
    script.say("you", text, state=SendState.FAILED, failure=text).say("bobby", text, verified=False)
    script.say("bobby", "see you there")
    messages = [*(spoil(each, text) for each in script.messages[:-1]), script.messages[-1]]
    client.add_chat("@bobby", messages, unread=1, draft=text, alarm=text)
    shown = msgspec.structs.replace(
        group("Climbers", members=4, description=text, is_admin=True, asking=1, name_alarm=text), name=text
    )
    said = Script(shown.id, NOW_NS - 30 * MINUTE)
    said.say("bobby", text, sender=Username("@bobby"), kind=MessageKind.NOTICE)
    said.say("bobby", text, sender=Username("@bobby"), mentions_me=True)
    client.add_group(shown, [spoil(each, text) for each in said.messages], roster=CLIMBERS_ROSTER, unread=1)
    client.door.ask(shown.id, "@zelda", text)
    client.groups.pinned = [spoil(said.messages[-1], text)]
    client.change_chat("@bobby", petname=text)
    client.set_status(detail=text, alarm=text)
    _spoil_devices(client, text)
    return client


def _spoil_devices(client: FakeClient, text: str) -> None:
    """A device that has fallen into other hands calls itself and others what it likes."""
    client.devices.known.append(device(2, text, issued_by=f"{1:064x}"))
    client.ownership.owners += [
        owner(2, OwnerKind.DEVICE, device=f"{2:064x}", label=text, said_by=text),
        recovery_owner(KEY, said_by=text),
    ]
    client.ownership.trouble = text


def main() -> None:
    from xirtam_tui.app import XirtamApp

    whole = "\n".join(text for name, text in CORPUS.items() if name not in ("many lines", "long line", "long words"))
    client = hostile_client(whole)
    for number, text in enumerate(CORPUS.values()):
        script = Script(f"@person{number:02}", NOW_NS - 90 * MINUTE)
        script.say(f"person{number:02}", text)
        client.add_chat(script.peer, [spoil(each, text) for each in script.messages], draft=text)
    with tempfile.TemporaryDirectory() as folder:
        XirtamApp(Path(folder), engines=FakeMachine(client), clock=frozen_clock).run()


if __name__ == "__main__":
    main()
