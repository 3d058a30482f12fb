"""`xirtam doctor` and `xirtam evidence` against a real server."""

from collections.abc import Callable

from tests.e2e.processes import Person, Server


def test_doctor_says_what_is_well_and_what_is_not(server: Server, person: Callable[[str], Person]) -> None:
    alice = person("alice")
    found = {line["what"]: line for line in alice.run("doctor") if line["event"] == "check"}
    assert {"terminal", "disk", "log", "keyring", "directory", "home server", "forwarding", "clock"} <= found.keys()
    assert all(line["is_fine"] for line in found.values()), found
    assert found["log"]["words"].endswith("logs/xirtam.log, nothing yet")
    assert alice.run("evidence") == []
    server.kill()
    found = {line["what"]: line for line in alice.run("doctor", limit_s=60, status=1)}
    assert not found["directory"]["is_fine"]
    assert found["directory"]["advice"]
