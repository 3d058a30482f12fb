"""Two machines, one account: pairing and what follows, with real commands against a real server."""

from collections.abc import Callable
from pathlib import Path

from tests.e2e.processes import Person, Server, ended


def _texts(person: Person, peer: str) -> list[str]:
    return [line["text"] for line in person.history(peer)]


def test_a_second_machine_is_paired_by_code_and_both_get_what_comes(
    server: Server, person: Callable[[str], Person], tmp_path: Path
) -> None:
    alice, bobby = person("alice"), person("bobby")
    bobby.run("send", "alice", "before there were two")
    alice.run("listen", "--count", "1", "--timeout", "20")
    tablet = Person("alice", tmp_path / "tablet")
    joining = tablet.start("join-device", "alice", "--join", server.join, "--key-from", "file")
    with ended(joining):
        offer = joining.next_event("pairing")
        alice.run("pair", offer["code"], status=2)  # nobody has compared the fingerprint
        (paired,) = alice.run("pair", offer["code"], "--yes", "--label", "tablet")
        assert paired["label"] == "tablet"
        assert joining.wait() == 0
    assert [(each["label"], each["is_this"]) for each in tablet.run("devices")] == [("tablet", True), (None, False)]
    bobby.run("send", "alice", "to both of you")
    tablet.run("listen", "--count", "1", "--timeout", "20")
    alice.run("listen", "--count", "1", "--timeout", "20")
    assert _texts(alice, "bobby") == ["before there were two", "to both of you"]
    assert _texts(tablet, "bobby") == ["before there were two", "to both of you"]
    (renewed,) = alice.run("renew", "tablet", "--expires", "30")
    assert renewed["expires"] is not None
    tablet.run("rotate")
    alice.run("revoke", "tablet", status=2)  # for good, and nobody has said yes
    assert not any(each["is_revoked"] for each in alice.run("devices"))
    (revoked,) = alice.run("revoke", "tablet", "--yes")
    assert revoked["not_done"]


def test_a_bundle_on_standard_input_or_as_an_argument_makes_a_device(
    server: Server, person: Callable[[str], Person], tmp_path: Path
) -> None:
    alice = person("alice")
    alice.run("pair", "--bundle", "--label", "laptop", status=2)
    (made,) = alice.run("pair", "--bundle", "--expires", "90")
    laptop = Person("alice", tmp_path / "laptop")
    laptop.run("join-device", made["bundle"][:-4], "--join", server.join, status=2)
    laptop.run("join-device", made["bundle"], "--join", server.join, "--key-from", "file")
    this, phone = laptop.run("devices")
    assert (this["is_this"], this["issued_by"]) == (True, phone["id"])
