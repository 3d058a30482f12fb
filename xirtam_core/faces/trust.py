"""What holds the network's promises to account."""

from xirtam_core.chat import Evidence, Finding
from xirtam_core.faces.face import Face, repeatable


class Trust(Face):
    """The directory's standing (spec: client.md, Trust)."""

    part = "trust"

    @repeatable
    async def evidence(self) -> list[Evidence]:
        """Proof that the directory lied, all that was ever found, oldest first."""
        ...

    @repeatable
    async def check_network(self) -> list[Finding]:
        """How the directory, the home server, its forwarding and the clock are just now; takes up to half a minute."""
        ...
