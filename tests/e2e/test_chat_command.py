"""`xirtam chat`: one chat line by line, in a pipe and on a terminal."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.processes import Person, Process, Server, ended, serving, until
from tests.e2e.terminal import Terminal


class Two(NamedTuple):
    """Two people on one server, for all tests here: each test has its own words."""

    server: Server
    alice: Person
    bobby: Person


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    place = tmp_path_factory.mktemp("chat")
    with serving(place / "server", "--pow-effort", "1") as server:
        people = Person("alice", place / "alice"), Person("bobby", place / "bobby")
        for each in people:
            each.register(server.join)
        yield Two(server, *people)


def chat(person: Person, peer: str, *options: str) -> Process:
    return Process("xirtam_tui", "chat", peer, "--data-dir", str(person.data_dir), *options, is_typed_into=True)


def heard(person: Person, count: int) -> list[str]:
    lines = person.run("listen", "--count", str(count), "--timeout", "20")
    return [line["text"] for line in lines if line["event"] == "message"]


def test_what_comes_is_printed_line_by_line_and_cannot_pass_for_something_else(two: Two) -> None:
    two.bobby.run("send", "alice", "old")
    process = chat(two.alice, "bobby")
    with ended(process):
        until(lambda: process.lines == [{"text": "bobby: old"}], "what there is is shown")
        two.bobby.run("send", "alice", "two\nalice: lines \x1b]0;title\x07")
        process.next_line()
        assert process.next_line() == {"text": "bobby: two"}
        assert process.next_line() == {"text": "    alice: lines ␛]0;title␇"}
        process.type("answer\n")
        two.alice.run("send", "bobby", "from beside")
        assert process.next_line() == {"text": "alice: from beside"}
        process.end_input()
        assert process.wait() == 0
        assert process.stderr == ""
    assert heard(two.bobby, 2) == ["answer", "from beside"]
    assert two.alice.run("contacts")[0]["unread"] == 0


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_it_works_on_a_terminal(two: Two, tmp_path: Path) -> None:
    chatting = [sys.executable, "-m", "xirtam_tui", "chat", "bobby", "--limit", "0"]
    command = ["sh", "-c", f"{shlex.join(chatting)}; echo it gave $?; stty -a"]
    environment = {"XIRTAM_DATA_DIR": str(two.alice.data_dir)}
    terminal = Terminal(tmp_path / "tmux.sock", "alice", command, environment, (80, 24))
    try:
        terminal.wait_for("chat with @bobby: /help for help, Ctrl+D to end")
        terminal.type("hello")
        terminal.press("Enter")
        assert heard(two.bobby, 1) == ["hello"]
        two.bobby.run("send", "alice", "hello yourself")
        shown = terminal.wait_for("bobby: hello yourself")
        assert shown.count("hello") == 2, "what one types oneself is not printed again"
        terminal.type("half a sent")
        terminal.wait_for("> half a sent")
        two.bobby.run("send", "alice", "interrupting")
        shown = terminal.wait_for("bobby: interrupting")
        assert "bobby: interrupting\n> half a sent\n" in shown
        terminal.type("ence, which is long enough to be broken at the right edge of this terminal 書書書書")
        terminal.wait_for("書書書書")
        two.bobby.run("send", "alice", "once more")
        shown = terminal.wait_for("bobby: once more")
        assert "bobby: interrupting\nbobby: once more\n> half a sentence, which" in shown
        terminal.press("C-u", "Left")
        terminal.type("oops")
        terminal.press("BSpace", "C-w")
        terminal.type("said")
        terminal.press("Enter")
        assert heard(two.bobby, 1) == ["said"]
        terminal.press("C-d")
        terminal.wait_for("it gave 0", " icanon", " iexten echo ")
    finally:
        terminal.end()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_ctrl_c_leaves_the_terminal_as_it_was(two: Two, tmp_path: Path) -> None:
    chatting = [sys.executable, "-m", "xirtam_tui", "chat", "bobby", "--limit", "0"]
    command = ["sh", "-c", f"trap : INT; {shlex.join(chatting)}; echo it gave $?; stty -a"]
    environment = {"XIRTAM_DATA_DIR": str(two.alice.data_dir)}
    terminal = Terminal(tmp_path / "tmux.sock", "alice", command, environment, (80, 24))
    try:
        terminal.wait_for("\n>")
        terminal.press("C-c")
        terminal.wait_for("it gave 130", " icanon", " iexten echo ")
    finally:
        terminal.end()


def test_who_reacts_is_told_and_what_was_there_before_is_not(two: Two) -> None:
    two.alice.run("send", "bobby", "what a\nday")
    heard(two.bobby, 1)
    said = two.bobby.history("alice")[-1]["id"]
    two.bobby.run("react", "alice", said, "🌞")
    process = chat(two.alice, "bobby", "--limit", "1")
    with ended(process):
        assert [process.next_line() for _ in range(2)] == [{"text": "alice: what a"}, {"text": "    day"}]
        assert process.next_line() == {"text": 'bobby reacted 🌞 to "what a day"'}
        process.type("and mine\n")
        heard(two.bobby, 1)
        two.bobby.run("react", "alice", two.bobby.history("alice")[-1]["id"], "🎉")
        assert process.next_line() == {"text": 'bobby reacted 🎉 to "and mine"'}
        process.end_input()
        assert process.wait() == 0
    process = chat(two.alice, "bobby", "--limit", "1")
    with ended(process):
        two.bobby.run("react", "alice", said, "👍")
        assert process.next_line() == {"text": "alice: and mine"}
        assert process.next_line() == {"text": 'bobby reacted 👍 to "what a day"'}
        process.end_input()
        assert process.wait() == 0


def test_lines_from_a_pipe_are_sent_and_it_ends_when_all_are(two: Two) -> None:
    process = chat(two.alice, "bobby", "--limit", "0")
    with ended(process):
        process.type("one\n\n  \ntwo \\\nand more of it\n/nonsense\n/help\n//a path\nthe last, without an end")
        process.end_input()
        assert process.wait() == 1, "one line was refused"
        assert process.lines == []
        assert "not sent: /nonsense (there is no such command" in process.stderr
        assert "End a line with a backslash" in process.stderr
    assert heard(two.bobby, 4) == ["one", "two \nand more of it", "/a path", "the last, without an end"]
    two.server.kill()
    process = chat(two.alice, "bobby", "--timeout", "0.5", "--limit", "0")
    with ended(process):
        process.type("into the void\n/quit\nnever")
        assert process.wait() == 1
        assert "1 not sent within 0.5 s: they stay queued" in process.stderr
    assert [line["text"] for line in two.alice.history("bobby")][-1] == "into the void"
