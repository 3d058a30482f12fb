"""An account full of text that terminals disagree about: right to left, combined, joined, wide, and longer than any line.

`python -m tests.tui.wide [names]` runs the app on it; with `names`, emoji are shown as `:names:`.
"""

import sys
import tempfile
from pathlib import Path

from tests.tui.demo import Script, frozen_clock
from tests.tui.fake_client import MINUTE, NOW_NS, FakeClient, FakeMachine

TEXTS: dict[str, str] = {
    "hebrew": "שלום עולם, איך אתם היום?",
    "arabic": "مرحبا بالعالم، كيف حالكم اليوم؟",
    "both ways": "see (שלום) at 10:30, مرحبا abc 123 and שלום-עולם/x",
    "isolates": "\u2067שלום\u2069 then \u2066abc\u2069 then \u2068مرحبا\u2069 end",
    "marks": "cafe\u0301 n\u0303 a\u030a\u0323 e\u0300\u0301\u0302 שָׁלוֹם बहुत नमस्ते สวัสดีครับ",
    "families": "👨\u200d👩\u200d👧\u200d👦 👩\u200d🚀 🏳\ufe0f\u200d🌈 👩\u200d❤\ufe0f\u200d👨 🧑🏽\u200d🤝\u200d🧑🏿 end",
    "flags": "🇩🇪🇫🇷 🇯🇵🇧🇷🇿🇦 🇩 alone end",
    "skins": "👍🏻👍🏼👍🏽👍🏾👍🏿 ✋🏽 end",
    "selectors": "☀\ufe0f ☀\ufe0e ❤\ufe0f ❤ ✈\ufe0f ☎\ufe0f 1\ufe0f\u20e3 #\ufe0f\u20e3 ©\ufe0f ™\ufe0f end",
    "wide": "日本語 中文字 한국어 ＡＢＣ ｱｲｳ 〇 end",
    "ambiguous": "±×÷…—“”‘’°§¶ αβγ ①② ■□▲△ ←↑→↓ ☆★ end",
    "jamo": "\u1112\u1161\u11ab\u1100\u1173\u11af end",
    "new": "🫠🫡🥹🪿🫨🐦\u200d🔥🍋\u200d🟩 end",
    "tabs": "\tone\ttwo\t日本\tthree\t👍\tend",
    "long line": "x" * 10_000,
    "long and wide": "日" * 5_000 + "👍🏽" * 500,
}
"""What is said, by what is hard about it."""


def wide_client() -> FakeClient:
    """An account with each text in two chats: in one with its like, where all are seen together, and in one of its own."""
    client = FakeClient()
    together = Script("@together", NOW_NS - 60 * MINUTE)
    for name, text in TEXTS.items():
        if not name.startswith("long"):
            together.say("you" if len(together.messages) % 3 == 0 else "together", text)
    client.add_chat("@together", together.messages)
    for number, text in enumerate(TEXTS.values()):
        script = Script(f"@person{number:02}", NOW_NS - (90 + number) * MINUTE)
        script.say(f"person{number:02}", text).say("you", text)
        client.add_chat(script.peer, script.messages)
        client.change_chat(script.peer, petname=text)
    return client


def main() -> None:
    from xirtam_tui.app import XirtamApp

    with tempfile.TemporaryDirectory() as folder:
        if "names" in sys.argv:
            (Path(folder) / "settings.toml").write_text('emoji = "names"\n')
        XirtamApp(Path(folder), engines=FakeMachine(wide_client()), clock=frozen_clock).run()


if __name__ == "__main__":
    main()
