"""The register: how many connections there may be, from where, and what they may make the server keep."""

from typing import ClassVar

from xirtam_server.transports.addresses import TrustedProxies
from xirtam_server.transports.connections import ConnectionLimits, Connections


class Idle:
    """A connection on which nothing happens."""

    counted_as: ClassVar[str] = "tcp"

    def __init__(self, register: Connections) -> None:
        self._register = register
        self.is_aborted = False

    def is_stale(self, now: float) -> bool:
        return False

    def abort(self) -> None:
        self.is_aborted = True
        self._register.leave(self)

    async def finish(self) -> None:
        self.abort()


def admitted(register: Connections, *addresses: str) -> list[Idle]:
    connections = [Idle(register) for _ in addresses]
    return [
        connection
        for connection, address in zip(connections, addresses, strict=True)
        if register.admit(connection, address)
    ]


def test_one_source_may_have_only_so_many_and_others_are_not_kept_out_by_it() -> None:
    register = Connections(ConnectionLimits(most_per_source=2))
    crowd = admitted(register, *["198.51.100.1"] * 5)
    assert len(crowd) == 2
    assert len(admitted(register, "198.51.100.2", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1")) == 4
    assert register.counts["tcp"].refused == 4
    crowd[0].abort()
    assert len(admitted(register, *["198.51.100.1"] * 2)) == 1


def test_loopback_and_trusted_proxies_may_have_as_many_as_all_together() -> None:
    register = Connections(ConnectionLimits(most=20, most_per_source=2), TrustedProxies(["10.0.0.1"]))
    assert len(admitted(register, *["127.0.0.1"] * 10, *["10.0.0.1"] * 10, "198.51.100.1")) == 20
    assert (register.counts["tcp"].opened, register.counts["tcp"].open, register.counts["tcp"].refused) == (20, 20, 1)


def test_whoever_holds_most_goes_when_all_hold_too_much() -> None:
    register = Connections(ConnectionLimits(most_held_bytes=100))
    small, large, late = admitted(register, "", "", "")
    register.hold(small, "unsent", 30)
    register.hold(large, "unsent", 20)
    register.hold(large, "unsent", 60)
    assert not large.is_aborted
    register.hold(late, "window", 20)
    assert (small.is_aborted, large.is_aborted, late.is_aborted) == (False, True, False)
    register.hold(small, "unsent", 0)
    register.hold(late, "unsent", 75)
    assert not late.is_aborted
    assert register.counts["tcp"].overdrawn == 1
    for connection in (small, late):
        connection.abort()
    assert len(register) == 0
