"""What holds the network's promises to account."""

from xirtam_core.chat import Evidence
from xirtam_core.faces.face import Face, repeatable


class Trust(Face):
    """The directory's standing (spec: client.md, Trust)."""

    part = "trust"

    @repeatable
    async def evidence(self) -> list[Evidence]:
        """Proof that the directory lied, all that was ever found, oldest first."""
        ...
