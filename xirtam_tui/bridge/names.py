"""What is asked of the engine about groups' names in the directory."""

import msgspec

from xirtam_core.group_entry import Publication
from xirtam_core.names import GroupName
from xirtam_tui import text
from xirtam_tui.bridge.engine import Engine

_SAID = 240


class Names:
    """The names of the account's groups. All raise what the engine raises."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def publication(self, group: str) -> Publication:
        """How a group's name stands."""
        found = await self._engine.names.publication(group)
        return msgspec.structs.replace(
            found,
            name=text.line(found.name),
            step=None if found.step is None else text.brief(found.step, _SAID),
            trouble=None if found.trouble is None else text.brief(found.trouble, _SAID),
            alarm=None if found.alarm is None else text.brief(found.alarm, _SAID),
        )

    async def publish(self, group: str, name: GroupName) -> None:
        """Begins to put a group into the directory, with this account as the one to be asked."""
        await self._engine.names.publish(group, name)

    async def unpublish(self, group: str) -> None:
        """Begins to take a group out of the directory."""
        await self._engine.names.unpublish(group)
