"""Groups with names in the directory, and invite links, as scripts use them between real processes and a real server."""

from collections.abc import Callable

from tests.e2e.processes import Json, Person, ended, until

People = Callable[[str], Person]


def _asking(admin: Person, group: str) -> Json:
    """The first who asks to be let into a group, once somebody does."""
    until(lambda: bool(admin.run("group", "requests", group)), "somebody asks")
    return admin.run("group", "requests", group)[0]


def _is_in(person: Person, group: str) -> bool:
    return any(each["chat"] == group and each["state"] == "member" for each in person.run("group", "list"))


def test_a_group_is_published_found_and_joined_by_its_name_and_by_a_link(person: People) -> None:
    alice, bobby, carol = (person(name) for name in ("alice", "bobby", "carol"))
    running = [each.start("listen") for each in (alice, bobby, carol)]  # as an app would be
    with ended(*running):
        for each in running:
            each.next_event("connection")
        group = alice.run("group", "create", "Climbers")[0]["chat"]
        _publish(alice, bobby, group)
        _join_by_name(alice, bobby, group)
        link = _join_by_link(alice, bobby, carol, group)
        assert alice.run("group", "unpublish", "Climbers")[-1]["name"] == ""
        _ask_by_used_link(alice, carol, group, link)
        carol.run("group", "join", "+climbers", status=1)


def _publish(alice: Person, bobby: Person, group: str) -> None:
    published = alice.run("group", "publish", "Climbers", "climbers")
    assert published[-1]["name"] == "+climbers"
    assert any(each["event"] == "progress" for each in published)
    (listing,) = bobby.run("group", "find", "+climbers")
    assert (listing["group"], listing["title"], listing["admins"]) == (group, "Climbers", ["@alice"])
    bobby.run("group", "find", "nobodys", status=3)


def _join_by_name(alice: Person, bobby: Person, group: str) -> None:
    (asked,) = bobby.run("group", "join", "+climbers", "--note", "we met in Arco", "--timeout", "0.1")
    assert (asked["event"], asked["admin"]) == ("asked", "@alice")
    assert bobby.run("group", "asked")[0]["name"] == "+climbers"
    request = _asking(alice, "+climbers")
    assert (request["user"], request["note"]) == ("@bobby", "we met in Arco")
    alice.run("group", "approve", "+climbers", "bobby")
    until(lambda: _is_in(bobby, group), "Bobby is let in without a further word")
    alice.run("group", "approve", "+climbers", "bobby", status=3)
    bobby.run("group", "publish", group, "others", status=1)


def _join_by_link(alice: Person, bobby: Person, carol: Person, group: str) -> str:
    alice.run("group", "unlink", "Climbers", status=3)
    link = alice.run("group", "link", "Climbers")[0]["link"]
    assert alice.run("group", "links", "Climbers")[0]["uses"] == 1
    (joined,) = carol.run("group", "join", link, "--timeout", "20")
    assert (joined["chat"], joined["state"]) == (group, "member")
    assert alice.run("group", "links", "Climbers") == []
    carol.run("send", group, "hello from the wall")
    until(lambda: "hello from the wall" in _texts(bobby, group), "Bobby reads that")
    return link


def _ask_by_used_link(alice: Person, carol: Person, group: str, link: str) -> None:
    carol.run("group", "leave", group)
    until(lambda: "@carol" not in _members(alice, group), "Carol has left")
    carol.run("group", "join", link, "--timeout", "0.1")
    assert _asking(alice, "Climbers")["has_link"]
    alice.run("group", "refuse", "Climbers", "carol")
    until(lambda: carol.run("group", "asked")[0]["is_refused"], "Carol is told")


def _texts(person: Person, group: str) -> list[str]:
    return [each["text"] for each in person.run("history", group)]


def _members(person: Person, group: str) -> list[str]:
    return [each["name"] for each in person.run("group", "members", group)]
