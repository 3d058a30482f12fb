"""Replies, edits, reactions and withdrawals as scripts use them, against a real server."""

from collections.abc import Callable

from tests.e2e.processes import Person, ended

People = Callable[[str], Person]


def test_two_people_answer_edit_react_and_withdraw(person: People) -> None:
    alice, bobby = person("alice"), person("bobby")
    (question,) = alice.run("send", "bobby", "where?\nand when?")
    bobby.run("listen", "--count", "1", "--timeout", "20")
    listener = alice.start("listen", "--timeout", "30")
    with ended(listener):
        (answer,) = bobby.run("send", "alice", "here", "--reply-to", question["id"])
        assert listener.next_event("message")["quote"] == answer["quote"] == "where?"
        assert answer["reply_to"] == question["id"]
        (edited,) = bobby.run("edit", "alice", answer["id"], "there")
        assert (edited["event"], edited["text"], edited["edited"]) == ("changed", "there", True)
        assert listener.next_event("changed")["text"] == "there"
        bobby.run("react", "alice", question["id"], "👍")
        assert listener.next_event("changed")["reactions"] == [{"emoji": "👍", "senders": ["@bobby"]}]
        bobby.run("react", "alice", question["id"], "👍", "--remove")
        assert listener.next_event("changed")["reactions"] == []
        bobby.run("withdraw", "alice", answer["id"])
        withdrawn = listener.next_event("changed")
        assert (withdrawn["id"], withdrawn["withdrawn"], withdrawn["text"]) == (answer["id"], True, "")
    (error,) = bobby.run("edit", "alice", question["id"], "mine now", status=1)
    assert error["error"] == "Refused"
    assert bobby.run("react", "alice", question["id"], "ok", status=2)[0]["error"] == "Malformed"
