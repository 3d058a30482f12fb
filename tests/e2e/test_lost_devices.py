"""The lost-devices drill: every device of an account is gone, and the key on paper brings it back (docs/recovery.md)."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.e2e.processes import Json, Person, Server, ended


def _said(person: Person, peer: str) -> list[str]:
    return [line["text"] for line in person.history(peer) if line["kind"] == "text"]


def _owners(found: list[Json]) -> list[str]:
    return [each["kind"] for each in found if each["event"] == "owner"]


def _with_key(person: Person, tmp_path: Path) -> tuple[str, Path]:
    """Makes a recovery key; gives it, and the file that is its paper."""
    made = person.run("recovery-key", "create")
    key = next(each["key"] for each in made if each["event"] == "recovery_key")
    paper = tmp_path / "paper"
    paper.write_text(key.lower().replace("0", "o") + "\n")
    return key, paper


def test_an_account_whose_devices_are_all_lost_lives_again_and_its_contacts_are_warned(
    server: Server, person: Callable[[str], Person], tmp_path: Path
) -> None:
    alice, bobby = person("alice"), person("bobby")
    alice.run("send", "bobby", "see you")
    bobby.run("listen", "--count", "1", "--timeout", "20")
    key, paper = _with_key(alice, tmp_path)
    (checked,) = alice.run("recovery-key", "check", "--key-file", str(paper))
    assert (checked["kind"], checked["since"] is not None) == ("recovery key", True)
    assert _owners(alice.run("owners", "list")) == ["this device", "recovery key"]
    shutil.rmtree(alice.data_dir)

    anew = Person("alice", tmp_path / "anew")
    wrong = tmp_path / "wrong"
    wrong.write_text(key[:-1] + ("0" if key[-1] != "0" else "1"))
    refused = anew.run(
        "recover", "alice", "--join", server.join, "--key-file", str(wrong), "--key-from", "file", status=2
    )
    assert "group 8" in refused[-1]["message"]
    anew.run("recover", "alice", "--join", server.join, "--key-from", "file", status=2)  # nothing on standard input
    cut_off = anew.start("recover", "alice", "--join", server.join, "--key-file", str(paper), "--key-from", "file")
    with ended(cut_off):
        while cut_off.next_event("progress")["step"] != "waiting for the directory to log the new owner":
            continue
        cut_off.kill()
    recovered = anew.run("recover", "alice", "--join", server.join, "--key-file", str(paper), "--key-from", "file")[-1]
    assert recovered["event"] == "recovered"
    assert recovered["lost"]
    assert _owners(anew.run("owners", "list")) == ["recovery key", "this device"]
    assert key.encode() not in b"".join(path.read_bytes() for path in anew.data_dir.rglob("*") if path.is_file())

    anew.run("send", "bobby", "it is me, on a new phone")
    # Who somebody is, is asked once a minute: until then Bobby's client puts the message off.
    bobby.run("listen", "--count", "1", "--timeout", "90", limit_s=120)
    assert any(each.get("alarm") for each in bobby.run("contacts"))
    blocked = bobby.run("send", "alice", "are you?", status=5)
    assert "identity" in str(blocked)
    bobby.run("acknowledge", "alice", "--yes")
    bobby.run("send", "alice", "how good to hear of you")
    anew.run("listen", "--count", "1", "--timeout", "20")
    anew.run("send", "bobby", "yes")
    bobby.run("listen", "--count", "1", "--timeout", "20")
    assert _said(bobby, "alice")[-1] == "yes"
    assert _said(anew, "bobby") == ["it is me, on a new phone", "how good to hear of you", "yes"]

    replaced = anew.run("recovery-key", "create", "--replace")
    assert _owners(replaced) == ["recovery key"]
    anew.run("recovery-key", "check", "--key-file", str(paper), status=3)
    assert _owners(anew.run("owners", "list")) == ["this device", "recovery key"]
    assert _owners(anew.run("recovery-key", "remove", "--yes")) == ["this device"]


def test_the_first_device_was_stolen_and_another_one_takes_the_name_over(
    server: Server, person: Callable[[str], Person], tmp_path: Path
) -> None:
    alice = person("alice")
    _, paper = _with_key(alice, tmp_path)
    tablet = Person("alice", tmp_path / "tablet")
    joining = tablet.start("join-device", "alice", "--join", server.join, "--key-from", "file")
    with ended(joining):
        alice.run("pair", joining.next_event("pairing")["code"], "--yes", "--label", "tablet")
        assert joining.wait() == 0
    assert "does not own" in tablet.run("owners", "rotate", status=1)[-1]["message"]
    tablet.run("owners", "claim", "--key-file", str(paper))
    (first,) = [each for each in tablet.run("owners", "list") if each["kind"] == "device"]
    tablet.run("owners", "remove", first["fingerprint"][:9], status=2)  # nobody has said yes
    assert _owners(tablet.run("owners", "remove", first["fingerprint"][:9], "--yes"))[-1] == "this device"
    before = tablet.run("owners", "list")[-1]["key"]
    after = tablet.run("owners", "rotate")
    assert _owners(after)[-1] == "this device"
    assert before not in [each.get("key") for each in after]


def test_a_recovery_key_is_read_from_standard_input_and_shown_for_paper(
    person: Callable[[str], Person], tmp_path: Path
) -> None:
    alice = person("alice")
    command = [sys.executable, "-m", "xirtam_tui", "recovery-key"]
    where = ["--data-dir", str(alice.data_dir)]
    shown = subprocess.run([*command, "create", *where], capture_output=True, text=True, check=True).stdout
    (key,) = [line.strip() for line in shown.splitlines() if line.strip().startswith("R1")]
    assert "▄" in shown
    found = subprocess.run([*command, "check", *where], input=key, capture_output=True, text=True, check=True)
    assert "it counts" in found.stdout
    assert key not in found.stdout + found.stderr
