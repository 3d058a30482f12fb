"""Names of groups in the directory (docs/protocol/named-groups.md)."""

from xirtam_core.faces.face import Face, operation, repeatable
from xirtam_core.group_entry import Publication
from xirtam_core.names import GroupName, Username


class Names(Face):
    """Gives groups names in the directory, and says who owns these.

    A change takes a proof of work and the time that the directory needs to log it: it goes on behind the call, also after a crash, and
    `publication` says how it stands. Each operation raises `NotFound` for a group that is not known here, and `Refused` for what this
    account may not do in it.
    """

    part = "names"

    @repeatable
    async def publication(self, group: str) -> Publication:
        """How a group's name in the directory stands."""
        ...

    @repeatable
    async def publish(self, group: str, name: GroupName, ask: tuple[Username, ...] = ()) -> Publication:
        """Puts a group into the directory under a name, with this account and the admins `ask` as those who may be asked.

        Done again it lists the group as it is now. Everybody can read what is listed: the group's name and id, and those admins.
        """
        ...

    @repeatable
    async def unpublish(self, group: str) -> Publication:
        """Takes the listing back. The name stays the account's, and is free for nobody; the directory's past cannot be changed."""
        ...

    @repeatable
    async def set_owner(self, group: str, name: Username, is_owner: bool) -> Publication:
        """Makes another admin an owner of the group's name, or takes that back; raises `NotFound` where no key of theirs is known."""
        ...

    @operation
    async def renew_owner(self, group: str) -> Publication:
        """Has this account own the name by a new key, as is due when one of its devices was lost."""
        ...
