"""The commands as scripts use them, against a real server: over HTTP and over TCP, through outages, side by side."""

import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import Json, Person, Process, Server, ended, until

People = Callable[[str], Person]


@pytest.fixture(params=["http", "tcp"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What clients reach servers over; the processes of this test inherit it."""
    scheme: str = request.param
    monkeypatch.setenv("XIRTAM_TRANSPORT", scheme)
    yield scheme


def texts(lines: list[Json]) -> list[str]:
    return [line["text"] for line in lines if line["event"] == "message"]


def test_two_people_register_and_write_to_each_other(transport: str, person: People) -> None:
    alice, bobby = person("alice"), person("bobby")
    (sent,) = alice.run("send", "@bobby", "hello")
    assert (sent["state"], sent["chat"], sent["sender"], sent["kind"]) == ("sent", "@bobby", "@alice", "text")
    heard = bobby.run("listen", "--count", "1", "--timeout", "20")
    assert texts(heard) == ["hello"]
    assert next(line for line in heard if line["event"] == "message")["id"] == sent["id"]
    bobby.run("send", "alice", "hello yourself")
    assert texts(alice.run("listen", "--count", "1", "--timeout", "20")) == ["hello yourself"]
    assert texts(alice.history("@bobby")) == ["hello", "hello yourself"]
    assert texts(bobby.history("@alice")) == ["hello", "hello yourself"]


def test_a_listener_hears_what_is_sent_while_it_listens(transport: str, person: People) -> None:
    alice, bobby = person("alice"), person("bobby")
    listener = bobby.start("listen", "--count", "2", "--timeout", "30")
    with ended(listener):
        alice.run("send", "bobby", "one")
        alice.run("send", "bobby", "two")
        assert listener.wait() == 0
        assert texts(listener.lines) == ["one", "two"]


def test_a_message_sent_while_the_server_is_down_arrives_once_and_in_order_when_it_is_back(
    server: Server, person: People
) -> None:
    alice, bobby = person("alice"), person("bobby")
    alice.run("send", "bobby", "before")
    server.kill()
    queued = [alice.run("send", "bobby", f"during {number}", "--no-wait")[0] for number in (1, 2)]
    assert [line["state"] for line in queued] == ["queued", "queued"]
    server.start()
    alice.run("send", "bobby", "after")
    heard = bobby.run("listen", "--count", "4", "--timeout", "20")
    assert texts(heard) == ["before", "during 1", "during 2", "after"]
    assert bobby.run("listen", "--count", "1", "--timeout", "2", status=1) is not None
    assert texts(bobby.history("@alice")) == ["before", "during 1", "during 2", "after"]


def test_listening_again_prints_nothing_twice(person: People, tmp_path: Path) -> None:
    alice, bobby = person("alice"), person("bobby")
    for text in ("one", "two"):
        alice.run("send", "bobby", text)
    assert texts(bobby.run("listen", "--count", "1", "--timeout", "20")) == ["one"]
    assert texts(bobby.run("listen", "--count", "1", "--timeout", "20")) == ["two"]
    assert texts(bobby.run("listen", "--timeout", "1")) == []
    bookmark = str(tmp_path / "cursor")
    assert texts(bobby.run("listen", "--count", "1", "--timeout", "20", "--ack-file", bookmark)) == ["one"]
    assert texts(bobby.run("listen", "--timeout", "2", "--ack-file", bookmark)) == ["two"]
    assert texts(bobby.run("listen", "--timeout", "2", "--since", "1")) == ["two"]


def test_listening_to_one_person_leaves_the_others_for_later(person: People) -> None:
    alice, bobby, carol = person("alice"), person("bobby"), person("carol")
    carol.run("send", "bobby", "from carol")
    alice.run("send", "bobby", "from alice")
    assert texts(bobby.run("listen", "alice", "--count", "1", "--timeout", "20")) == ["from alice"]
    assert texts(bobby.run("listen", "--timeout", "2")) == ["from carol"]
    assert texts(bobby.run("listen", "carol", "--timeout", "1")) == []


def test_commands_work_while_another_process_has_the_account_open(person: People) -> None:
    alice, bobby = person("alice"), person("bobby")
    listener = bobby.start("listen", "--timeout", "60")
    with ended(listener):
        listener.next_event("connection")
        (sent,) = bobby.run("send", "alice", "from beside")
        assert sent["state"] == "sent"
        assert texts(bobby.history("alice")) == ["from beside"]
        (status,) = bobby.run("status")
        assert status["connection"] == "connected"
        listener.signal(signal.SIGINT)
        assert listener.wait() == 130
    again = bobby.start("listen", "--timeout", "60")
    with ended(again):
        again.next_event("connection")
        again.signal(signal.SIGTERM)
        assert again.wait() == 130
        assert "Traceback" not in again.stderr
    assert texts(alice.run("listen", "--count", "1", "--timeout", "20")) == ["from beside"]


def test_a_name_that_is_taken_is_refused_and_leaves_nothing_behind(
    server: Server, person: People, tmp_path: Path
) -> None:
    person("alice")
    other = Person("alice", tmp_path / "elsewhere")
    (error,) = [
        line for line in other.run("register", "alice", "--join", server.join, status=1) if line["event"] == "error"
    ]
    assert "somebody else" in error["message"]
    assert other.run("accounts") == []
    assert not (tmp_path / "elsewhere" / "accounts" / "alice").exists()


def test_an_option_counts_also_before_the_command(person: People, tmp_path: Path) -> None:
    alice, bobby = (("--data-dir", str(person(name).data_dir)) for name in ("alice", "bobby"))
    nowhere = {"XIRTAM_DATA_DIR": str(tmp_path / "nowhere")}

    def account(*arguments: str) -> str:
        process = Process("xirtam_tui", *arguments, environment=nowhere)
        assert process.wait() == 0, process.stderr
        return process.lines[0]["account"]

    assert account(*alice, "status", "--json") == "@alice"
    assert account(*alice, "--account", "@alice", "status", "--json") == "@alice"
    assert account(*alice, "status", "--json", *bobby) == "@bobby"


def test_a_registration_whose_server_dies_is_finished_by_running_it_again(server: Server, tmp_path: Path) -> None:
    alice = Person("alice", tmp_path / "alice")
    process = alice.start("register", "alice", "--join", server.join, "--key-from", "file")
    with ended(process):
        until(
            lambda: any(line.get("step", "").startswith("proving work to publish") for line in process.lines), "a claim"
        )
        server.kill()
        process.kill()
    assert alice.run("accounts") == []
    server.start()
    alice.register(server.join)
    assert [line["account"] for line in alice.run("accounts")] == ["@alice"]


def test_a_passphrase_protects_an_account(server: Server, tmp_path: Path) -> None:
    alice = Person("alice", tmp_path / "alice")
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("correct horse battery staple\n")
    wrong.write_text("incorrect\n")
    chosen = ("--key-from", "passphrase", "--passphrase-file", str(right))
    alice.run("register", "alice", "--join", server.join, *chosen)
    (error,) = alice.run("contacts", status=4)
    assert "passphrase" in error["message"]
    alice.run("contacts", "--passphrase-file", str(wrong), status=4)
    assert alice.run("contacts", "--passphrase-file", str(right)) == []
    assert not (tmp_path / "alice" / "accounts" / "alice" / "key").exists()


def test_what_goes_wrong_is_said_in_words_and_in_the_exit_status(person: People, tmp_path: Path) -> None:
    alice = person("alice")
    assert "no user @nobody" in alice.run("send", "nobody", "hello", status=3)[-1]["message"]
    assert "5 to 15" in alice.run("send", "x", "hello", status=2)[-1]["message"]
    assert "empty" in alice.run("send", "alice", "  ", status=2)[-1]["message"]
    assert "5 to 15" in alice.run("listen", "a!", status=2)[-1]["message"]
    assert "target" in alice.run("send", status=2)[-1]["message"]
    assert "nonsense" in alice.run("nonsense", status=2)[-1]["message"]
    stranger = Person("stranger", tmp_path / "stranger")
    assert "no account" in stranger.run("status", status=3)[-1]["message"]
    assert "join link" in stranger.run("register", "alice", "--join", "nonsense", status=2)[-1]["message"]
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    dead = f"xirtam:join?directory=http://127.0.0.1:{port}/&key={'A' * 43}&server=~nowhere"
    assert stranger.run("register", "alice", "--join", dead, status=1)[-1]["event"] == "error"


def test_secrets_are_readable_by_their_owner_alone(person: People) -> None:
    alice = person("alice")
    account = alice.data_dir / "accounts" / "alice"
    assert account.stat().st_mode & 0o777 == 0o700
    for name in ("key", "key.json", "account.db"):
        assert (account / name).stat().st_mode & 0o077 == 0, name
    assert not (account / "account.db").read_bytes().startswith(b"SQLite format 3")


def test_a_person_can_write_to_themselves(person: People) -> None:
    alice = person("alice")
    (sent,) = alice.run("send", "alice", "note to self")
    assert sent["state"] == "sent"
    assert texts(alice.history("alice")) == ["note to self"]
