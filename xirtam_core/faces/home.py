"""Where the account lives, and moving it elsewhere (spec: extensions.md, Changing home servers)."""

from xirtam_core.faces.face import Face, operation, repeatable
from xirtam_core.home_move import HomeMove, HomeOffer


class Home(Face):
    """Changes the account's home server.

    `target` is a server's name, a join link that names one, or its address, which is then checked against the directory.
    """

    part = "home"

    @repeatable
    async def offer(self, target: str) -> HomeOffer:
        """What the account would find at a server, and what would come along.

        Raises `Malformed` for what is none of the three, `NotFound` where the directory does not know the server, `Refused` for a
        link of another network or an address that is not the server's own, and `Unreachable`.
        """
        ...

    @repeatable
    async def move(self, target: str) -> HomeMove:
        """Begins to move the account, or goes on with the same move; it is carried on behind the call, also after a crash.

        Raises as `offer` does, and `Refused` where there is an obstacle, or another move is being finished.
        """
        ...

    @repeatable
    async def state(self) -> HomeMove | None:
        """The move that is under way, else the latest one; None where there was none."""
        ...

    @operation
    async def undo(self) -> HomeMove | None:
        """Takes a move back that the directory has not been told of; raises `Refused` where that is over, `NotFound` without one."""
        ...
