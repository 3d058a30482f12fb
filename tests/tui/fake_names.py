"""Groups' names in the directory, of an engine in memory."""

import msgspec

from xirtam_core.errors import XirtamError
from xirtam_core.group_entry import Publication
from xirtam_core.names import GroupName, Username


class FakeNames:
    """What is published is under way until a test says that it is `logged`."""

    def __init__(self, account: Username) -> None:
        self._account = account
        self.error: XirtamError | None = None
        self.seen: dict[str, Publication] = {}

    def logged(self, group: str) -> None:
        """The directory has logged what was begun."""
        self.seen[group] = msgspec.structs.replace(
            self.seen[group],
            is_pending=False,
            step=None,
            share=None,
            seconds_left=None,
            owners=(self._account,),
            is_owner=True,
        )

    async def publication(self, group: str) -> Publication:
        nothing = Publication(
            group=group, name="", is_pending=False, step=None, share=None, seconds_left=None, trouble=None, owners=(),
            is_owner=False, alarm=None,
        )  # fmt: skip
        return self.seen.get(group, nothing)

    async def publish(self, group: str, name: GroupName, ask: tuple[Username, ...] = ()) -> Publication:
        if self.error is not None:
            raise self.error
        before = await self.publication(group)
        self.seen[group] = msgspec.structs.replace(
            before, name=name, is_pending=True, step="proving the owner", share=0.42, seconds_left=12.0
        )
        return self.seen[group]

    async def unpublish(self, group: str) -> Publication:
        self.seen.pop(group)
        return await self.publication(group)
