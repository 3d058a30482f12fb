"""Processes that are killed at any moment, over and over: what was accepted arrives once, and in order."""

import itertools
import random
import time
from collections.abc import Callable, Iterable

import pytest

from tests.e2e.processes import Json, Person, Process, Server, until

_SETTLE_S = 120.0


class Talker:
    """Somebody who talks to `peer` through processes that are killed, and what those said they had accepted."""

    def __init__(self, person: Person, peer: str) -> None:
        self.person = person
        self.accepted: list[str] = []
        self.last_word = ""
        self._peer = peer
        self._runs = 0
        self._process: Process | None = None

    def start(self) -> None:
        self._runs += 1
        arguments = (str(self.person.data_dir), f"@{self.person.name}", self._peer, str(self._runs))
        self._process = Process("tests.e2e.talker", *arguments)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self.accepted += [line["text"] for line in self._process.lines if line.get("event") == "accepted"]
            self._process = None

    def say_last(self) -> None:
        """Says one thing more, and waits until the server has it, and so all that was said before."""
        self._runs += 1
        text = f"{self._runs}.0"
        self.last_word = self.person.run("send", self._peer, text, "--timeout", f"{_SETTLE_S}", limit_s=_SETTLE_S)[-1][
            "id"
        ]
        self.accepted.append(text)


class Listener:
    """Somebody whose listening process is killed, and what each of those printed."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.printed: list[list[Json]] = []
        self._process: Process | None = None

    def start(self) -> None:
        self._process = self.person.start("listen")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self.printed.append([line for line in self._process.lines if line.get("event") == "message"])
            self._process = None

    def has_heard(self, message_id: str) -> bool:
        assert self._process is not None
        return any(line.get("id") == message_id for line in itertools.chain(self._process.lines, *self.printed))


def _number(text: str) -> tuple[int, int]:
    run, _, number = text.partition(".")
    return int(run), int(number)


def _whole_history(person: Person, peer: str) -> list[Json]:
    found: list[Json] = []
    before: tuple[str, ...] = ()
    while page := person.run("history", peer, "--limit", "1000", *before):
        found = page + found
        before = ("--before", page[0]["id"])
    return found


def _crash(
    everybody: list[Talker | Listener], victims: Iterable[Talker | Listener | Server], chance: random.Random
) -> None:
    """Lets everybody run for moments, and at the end of each kills somebody, who comes back."""
    for each in everybody:
        each.start()
    for victim in victims:
        time.sleep(chance.uniform(0.3, 2.0))  # the moment is the test
        victim.kill()
        time.sleep(chance.uniform(0, 0.3))
        victim.start()
    for each in everybody:
        each.kill()


def _settle(talkers: list[Talker], listener: Listener) -> None:
    """Has everything sent and heard that was accepted."""
    for talker in talkers:
        talker.say_last()
    listener.start()
    until(
        lambda: all(listener.has_heard(talker.last_word) for talker in talkers), "the last words are heard", _SETTLE_S
    )
    listener.kill()


def _check(talker: Talker, listener: Listener) -> None:
    sent = [message["text"] for message in _whole_history(talker.person, listener.person.name)]
    assert sent == sorted(set(sent), key=_number), "the author sees each once, in the order of writing"
    assert set(talker.accepted) <= set(sent), "nothing that was accepted is lost"
    come = [message["text"] for message in _whole_history(listener.person, talker.person.name)]
    assert come == sent, "each has come once, in the order of writing"
    printed: set[str] = set()
    for run in listener.printed:
        texts = [line["text"] for line in run if line["sender"] == f"@{talker.person.name}"]
        assert texts == sorted(set(texts), key=_number), "no process prints one twice or out of order"
        again = printed & set(texts)
        assert len(again) <= 1, "a process that was killed had printed one more than it could note, at most"
        printed |= set(texts)
    assert printed == set(come), "all that came has been printed"


def _talk_and_crash(
    talkers: list[Talker], listener: Listener, victims: Iterable[Talker | Listener | Server], chance: random.Random
) -> None:
    everybody = [*talkers, listener]
    listener.person.run("settings", "strangers", "accept")  # else theirs are requests, of which only so many are kept
    try:
        _crash(everybody, victims, chance)
        _settle(talkers, listener)
    finally:
        for each in everybody:
            each.kill()
    for talker in talkers:
        _check(talker, listener)


def test_processes_that_are_killed_lose_and_repeat_nothing(server: Server, person: Callable[[str], Person]) -> None:
    talker, listener = Talker(person("alice"), "@bobby"), Listener(person("bobby"))
    _talk_and_crash([talker], listener, [listener, server, talker], random.Random(1))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_processes_that_are_killed_a_great_many_times_lose_and_repeat_nothing(
    server: Server, person: Callable[[str], Person], seed: int
) -> None:
    talkers, listener = [Talker(person(name), "@bobby") for name in ("alice", "carol")], Listener(person("bobby"))
    chance = random.Random(seed)
    victims = chance.choices([*talkers, listener, server], weights=[2, 2, 2, 1], k=60)
    _talk_and_crash(talkers, listener, victims, chance)
