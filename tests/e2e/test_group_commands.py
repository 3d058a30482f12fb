"""Groups as scripts use them, between real processes and a real server."""

from collections.abc import Callable
from pathlib import Path

from tests.e2e.processes import Json, Person

People = Callable[[str], Person]


def _texts(lines: list[Json]) -> list[str]:
    return [line["text"] for line in lines if line["event"] == "message" and line["kind"] == "text"]


def _bring_in(person: Person, group: str) -> None:
    """Has somebody accept the invitation that has come, and the stranger who sent it."""
    assert [
        line["kind"] for line in person.run("listen", "--count", "1", "--timeout", "20") if line["event"] == "message"
    ]
    if asked := person.run("requests"):
        person.run("accept", asked[0]["name"])
    (joined,) = person.run("group", "accept", group)
    assert joined["state"] == "member"


def test_a_group_is_made_joined_written_in_managed_and_left(person: People, tmp_path: Path) -> None:
    alice, bobby, carol = person("alice"), person("bobby"), person("carol")
    (made,) = alice.run("group", "create", "Climbers")
    group = made["chat"]
    assert (made["name"], made["members"], made["is_admin"]) == ("Climbers", 1, True)
    for name, other in (("bobby", bobby), ("carol", carol)):
        alice.run("group", "invite", "climbers", name)
        _bring_in(other, group[:12])
    alice.run("listen", "--timeout", "2")
    members = {line["name"]: line["status"] for line in alice.run("group", "members", "Climbers")}
    assert members == {"@alice": "accepted", "@bobby": "accepted", "@carol": "accepted"}

    alice.run("send", "Climbers", "who comes on Thursday, @Bobby?")
    (heard,) = [
        line for line in bobby.run("listen", group, "--count", "1", "--timeout", "20") if line["event"] == "message"
    ]
    assert heard["mentions_me"]
    assert [line["mentions"] for line in bobby.run("group", "list")] == [1]
    assert [line["mentions"] for line in bobby.run("contacts") if line["chat"] == group] == [1]
    bobby.run("send", group, "I do", "--reply-to", heard["id"])
    bobby.run("react", group, heard["id"], "👍")
    bobby.run("group", "pin", group, heard["id"], status=1)
    alice.run("group", "pin", "Climbers", heard["id"])
    assert [line["id"] for line in alice.run("group", "pins", "Climbers")] == [heard["id"]]
    assert "> who comes on Thursday, @Bobby?\nI do" in _texts(
        carol.run("listen", group, "--count", "2", "--timeout", "20")
    )
    assert _texts(alice.run("listen", "--count", "1", "--timeout", "20"))

    picture, saved = tmp_path / "rope.png", tmp_path / "saved.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200_000))
    alice.run("group", "info", "Climbers", "--avatar", str(tmp_path / "none.png"), status=1)
    alice.run("group", "info", "Climbers", "--avatar", str(picture))
    bobby.run("listen", "--timeout", "2")
    assert bobby.run("group", "info", group)[0]["avatar_bytes"] == 200_008
    bobby.run("group", "avatar", group, "--save", str(saved))
    assert saved.read_bytes() == picture.read_bytes()
    bobby.run("group", "avatar", group, "--save", str(saved), status=1)

    alice.run("group", "policy", "Climbers", "--posts", "admins", status=1)
    bobby.run("group", "ban", group, "carol", status=1)
    alice.run("group", "ban", "Climbers", "carol")
    alice.run("send", "Climbers", "only us now")
    assert _texts(bobby.run("listen", group, "--count", "1", "--timeout", "20")) == ["only us now"]
    carol.run("listen", "--timeout", "8")
    (left_out,) = carol.run("group", "list")
    assert left_out["state"] == "banned" or left_out["is_refused"]
    assert "only us now" not in _texts(carol.run("history", group))

    assert bobby.run("group", "leave", group)[0]["state"] in ("leaving", "left")
    bobby.run("send", group, "still here?", status=1)
    bobby.run("group", "members", "nowhere", status=3)
