"""A group that goes to another server, between real processes: its members chat on when the first one has been killed."""

import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tests.e2e.processes import Json, Person, Process, ended, until
from tests.server_builders import ENVIRONMENT, ServerProcess, server_process

_LIMIT_S = 60.0


class Network(msgspec.Struct, frozen=True):
    """Two home servers under one directory."""

    harbor: ServerProcess
    beach: ServerProcess


@contextmanager
def _network(place: Path) -> Generator[Network]:
    with server_process(place / "directory", "--pow-effort", "1", role="directory") as directory:
        link = directory.ready["join"]
        with _home(place, "harbor", link) as harbor, _home(place, "beach", link) as beach:
            yield Network(harbor, beach)


@contextmanager
def _home(place: Path, name: str, link: str) -> Generator[ServerProcess]:
    with server_process(place / name, "--join", link, "--name", f"~{name}", role="home") as home:
        command = [
            sys.executable, "-m", "xirtam_server", "register-name", "--data-dir", str(place / name),
            "--join", link, "--public-url", home.urls["http"],
        ]  # fmt: skip
        subprocess.run(command, env=ENVIRONMENT, timeout=_LIMIT_S, check=True, capture_output=True)
        yield home


class Member:
    """Somebody whose client runs all the time, as an app does; commands go to it."""

    def __init__(self, name: str, place: Path, home: ServerProcess) -> None:
        self.person = Person(name, place / name)
        self.person.register(home.ready["join"])
        self.client: Process = self.person.start("listen", "--timeout", "600")
        self.run: Callable[..., list[Json]] = self.person.run

    def comes_in(self, group: str) -> None:
        """Accepts the invitation once it is there, and the stranger who sent it."""
        until(lambda: bool(self.run("requests")), f"{self.person.name} is asked", _LIMIT_S)
        self.run("accept", self.run("requests")[0]["name"])
        until(lambda: bool(self.run("group", "invites")), f"{self.person.name} is invited", _LIMIT_S)
        assert self.run("group", "accept", group)[0]["state"] == "member"

    def knows(self, group: str, *others: "Member") -> None:
        """Waits until the roster here has all of these as members."""

        def accepted() -> set[str]:
            return {each["name"] for each in self.run("group", "members", group) if each["status"] == "accepted"}

        names = {f"@{other.person.name}" for other in others}
        until(lambda: names <= accepted(), f"{self.person.name} knows of {names}", _LIMIT_S)

    def shown(self, group: str) -> Json:
        """The group as it stands."""
        (found,) = [each for each in self.run("group", "list") if each["chat"] == group]
        return found

    def has(self, group: str, *texts: str) -> None:
        """Waits until the chat holds just these texts, in order."""

        def held() -> list[str]:
            return [each["text"] for each in self.run("history", group) if each["kind"] == "text"]

        until(lambda: held() == list(texts), f"{self.person.name} has {texts}, not {held()}", _LIMIT_S)


def test_three_chat_on_at_the_second_server_when_the_first_has_been_killed(tmp_path: Path) -> None:
    with _network(tmp_path) as network:
        alice = Member("alice", tmp_path, network.harbor)
        bobby, carol, davey = (Member(name, tmp_path, network.beach) for name in ("bobby", "carol", "davey"))
        with ended(*(each.client for each in (alice, bobby, carol, davey))):
            group = alice.run("group", "create", "Climbers")[0]["chat"]
            for member in (bobby, carol, davey):
                alice.run("group", "invite", "Climbers", member.person.name)
                member.comes_in(group)
            alice.run("send", group, "who comes on Thursday?")
            for member in (alice, bobby, carol, davey):
                member.has(group, "who comes on Thursday?")
            alice.knows(group, bobby, carol, davey)
            alice.run("group", "admin", group, "bobby")
            alice.run("group", "ban", group, "davey")
            until(lambda: bobby.shown(group)["is_admin"], "Bobby is an admin", _LIMIT_S)
            until(lambda: davey.shown(group)["state"] == "banned" or davey.shown(group)["is_refused"], "Davey is out")

            network.harbor.process.kill()
            network.harbor.process.wait()
            bobby.run("group", "move", group, "--yes", status=1)
            moved = bobby.run("group", "move", group, "--server-gone", "--yes", limit_s=90)
            assert moved[0]["server"] == "~beach"
            until(lambda: carol.shown(group)["server"] == "~beach", "Carol has followed", _LIMIT_S)
            bobby.run("send", group, "still here")
            carol.run("send", group, "me too")
            for member in (bobby, carol):
                member.has(group, "who comes on Thursday?", "still here", "me too")
            davey.has(group, "who comes on Thursday?")


@pytest.mark.slow
def test_members_follow_a_group_to_another_server_while_they_talk(tmp_path: Path) -> None:
    with _network(tmp_path) as network:
        alice = Member("alice", tmp_path, network.harbor)
        bobby, carol = (Member(name, tmp_path, network.beach) for name in ("bobby", "carol"))
        with ended(*(each.client for each in (alice, bobby, carol))):
            group = alice.run("group", "create", "Climbers")[0]["chat"]
            for member in (bobby, carol):
                alice.run("group", "invite", "Climbers", member.person.name)
                member.comes_in(group)
            alice.knows(group, bobby, carol)
            alice.run("group", "admin", group, "bobby")
            until(lambda: bobby.shown(group)["is_admin"], "Bobby is an admin", _LIMIT_S)
            alice.run("send", group, "at the first")
            bobby.run("group", "move", group, "--yes", limit_s=90)
            carol.run("send", group, "on the way")
            for member in (alice, carol):
                until(lambda member=member: member.shown(group)["server"] == "~beach", "they follow", _LIMIT_S)
            alice.run("send", group, "at the second")
            for member in (alice, bobby, carol):
                member.has(group, "at the first", "on the way", "at the second")
