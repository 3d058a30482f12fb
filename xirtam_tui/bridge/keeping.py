"""What is asked of the engine about the account's data at rest."""

from pathlib import Path

from xirtam_tui.bridge.engine import Engine


class Keeping:
    """Copies of the account."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def backup(self, file: Path, passphrase: str) -> None:
        """Writes the whole account to a new file, encrypted with `passphrase`; raises `Refused` where there is one."""
        await self._engine.keeping.backup(str(file), passphrase)
