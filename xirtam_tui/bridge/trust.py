"""What is asked of the engine about the network and its directory."""

import msgspec

from xirtam_core.chat import Evidence, Finding
from xirtam_tui import text
from xirtam_tui.bridge.engine import Engine


class Trust:
    """How the network is, and what was found against its directory."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def evidence(self) -> list[Evidence]:
        """All proof that the directory lied, oldest first."""
        return [
            msgspec.structs.replace(
                each, source=text.line(each.source), summary=text.line(each.summary), proof=text.body(each.proof)
            )
            for each in await self._engine.trust.evidence()
        ]

    async def check_network(self) -> list[Finding]:
        """How each part of the network answers just now."""
        return [
            msgspec.structs.replace(each, words=text.line(each.words), advice=text.line(each.advice))
            for each in await self._engine.trust.check_network()
        ]
