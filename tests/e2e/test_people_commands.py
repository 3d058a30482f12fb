"""Requests, blocking, verification and settings as scripts use them."""

from collections.abc import Callable

from tests.e2e.processes import Person
from xirtam_core.names import Username
from xirtam_core.storage.account_directory import AccountDirectory
from xirtam_core.storage.unlocking import unlock

People = Callable[[str], Person]


def test_a_stranger_is_a_request_until_accepted_and_can_be_verified_blocked_and_forgotten(person: People) -> None:
    alice, bobby = person("alice"), person("bobby")
    bobby.run("send", "alice", "hello")
    heard = [line for line in alice.run("listen", "--count", "1", "--timeout", "20") if line["event"] == "message"]
    assert [(line["text"], line["request"]) for line in heard] == [("hello", True)]
    (asked,) = alice.run("requests")
    assert asked["last"]["text"] == "hello"
    assert (asked["event"], asked["name"], asked["standing"]) == ("request", "@bobby", "request")

    assert alice.run("accept", "bobby")[0]["standing"] == "contact"
    assert alice.run("requests") == []
    (code,) = alice.run("verify", "bobby")
    (other,) = bobby.run("verify", "alice", "--scanned", code["text"])
    assert (code["digits"], code["verified"]) == (other["digits"], False)
    assert other["verified"]
    (alarm,) = bobby.run("verify", "alice", "--scanned", "xirtam:safety:another", status=5)
    assert alarm["event"] == "error"
    assert alice.run("verify", "bobby", "--yes")[0]["verified"]
    (contact,) = alice.run("contacts")
    assert (contact["standing"], contact["petname"], contact["verified"]) == ("contact", None, True)

    assert alice.run("block", "bobby")[0]["standing"] == "blocked"
    assert "is blocked here" in alice.run("send", "bobby", "hello", status=1)[0]["message"]
    alice.run("forget", "bobby")
    assert alice.run("contacts") == []
    alice.run("forget", "bobby", status=3)

    assert alice.run("settings")[0]["send_read"] is True
    assert alice.run("settings", "send_read", "off")[0]["send_read"] is False
    assert alice.run("settings")[0]["send_read"] is False
    assert "ask, accept, refuse" in alice.run("settings", "strangers", "sometimes", status=2)[0]["message"]


def test_an_alarm_is_shown_and_put_away_without_the_app(person: People) -> None:
    alice, bobby = person("alice"), person("bobby")
    alice.run("send", "bobby", "hello")
    database = unlock(AccountDirectory(alice.data_dir, Username("@alice")).path, None)
    database.execute("UPDATE peers SET alarm = 'they have a new identity key' WHERE username = '@bobby'")
    database.close()
    (refused,) = alice.run("send", "bobby", "hello again", status=5)
    assert "xirtam acknowledge" in refused["message"]
    (shown,) = alice.run("acknowledge", "bobby", status=5)
    assert "a new identity key" in shown["message"]
    alice.run("acknowledge", "bobby", "--yes")
    alice.run("acknowledge", "bobby", "--yes", status=3)
    alice.run("acknowledge", status=3)
    alice.run("send", "bobby", "hello again")
    assert bobby.run("listen", "--count", "2")


def test_what_one_calls_oneself_is_seen_by_others(person: People) -> None:
    alice, bobby = person("alice"), person("bobby")
    assert alice.run("profile")[0]["display_name"] is None
    alice.run("profile", "--name", "Alice Martin")
    assert alice.run("profile")[0]["display_name"] == "Alice Martin"
    (seen,) = bobby.run("profile", "alice")
    assert (seen["event"], seen["name"], seen["display_name"]) == ("profile", "@alice", "Alice Martin")
    bobby.run("profile", "alice", "--name", "Mallory", status=2)
    alice.run("profile", "--name", " ", status=2)
    alice.run("profile", "--no-name")
    assert bobby.run("profile", "alice")[0]["display_name"] is None
    bobby.run("profile", "nobody_here", status=3)
