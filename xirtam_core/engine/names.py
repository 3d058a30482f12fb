"""Names of groups in the directory: what `xirtam_core.faces.names` declares, as the engine does it (docs/protocol/named-groups.md)."""

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Hash, SigningPublic, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.engine.name_changes import NameChanges
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, Refused
from xirtam_core.group_entry import Publication
from xirtam_core.groups import GroupState
from xirtam_core.names import GroupName, Username
from xirtam_core.protocol import group_command
from xirtam_core.protocol.group_command import Command, OwnerKey, SetDirectoryName
from xirtam_core.protocol.group_entry import NameOwner
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.group_name import MOST_ADMINS, GroupListing
from xirtam_core.protocol.roster import MOST_OWNER_KEYS_OF_ONE
from xirtam_core.storage import group_members, name_keys, name_work
from xirtam_core.storage import groups as stored
from xirtam_core.storage.database import Database
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.name_work import NameWork, WorkKind


class Names:
    """Names that this account has given to groups, or may come to own."""

    def __init__(
        self,
        database: Database,
        session: Session,
        outbox: Outbox,
        own_devices: OwnDevices,
        changes: NameChanges,
    ) -> None:
        self._database = database
        self._session = session
        self._outbox = outbox
        self._own_devices = own_devices
        self._changes = changes
        self._announced: set[str] = set()
        """Own keys that were announced in this run, and may not have come back yet."""
        changes.when_done(self._has_changed)
        own_devices.register(NameOwner, self._take)

    # What there is

    def publication(self, group: str) -> Publication:
        """See the face."""
        known = self._require(group)
        shown, look = stored.shown(self._database, group), name_work.look(self._database, group)
        work = name_work.first(self._database, group)
        stage = self._changes.stages.get(group)
        names = known.presentation.directory_name or ("" if work is None else work.name)
        owners = () if look is None else look.owners
        whose = dict(known.presentation.owner_keys)
        return Publication(
            group=group,
            name=names,
            is_pending=work is not None,
            step=None if stage is None else stage.words,
            share=None if stage is None else stage.share,
            seconds_left=None if stage is None else stage.seconds_left,
            trouble=self._changes.troubles.get(group),
            owners=tuple(dict.fromkeys(whose[key.text()] for key in owners if key.text() in whose)),
            is_owner=bool(names) and any(key in owners for key in self._publics(group, GroupName(names))),
            alarm=None if shown is None else shown.name_alarm,
        )

    def _publics(self, group: str, name: GroupName) -> list[SigningPublic]:
        return [signing.public_of(secret) for secret in name_keys.of(self._database, group, name)]

    # Publishing

    def publish(self, group: str, name: GroupName, ask: tuple[Username, ...] = ()) -> Publication:
        """See the face."""
        known = self._managed(group)
        before = known.presentation
        if before.directory_name not in ("", name):
            raise Refused(f"the group is {before.directory_name} in the directory: unpublish that first")
        admins = tuple(dict.fromkeys((self._session.account.username, *ask)))
        if strangers := [each for each in admins if not self._is_admin(known, each)]:
            raise NotFound(f"{', '.join(strangers)} cannot be asked: only admins of the group can let people in")
        if len(admins) > MOST_ADMINS:
            raise Malformed(f"at most {MOST_ADMINS} admins can be listed")
        listing = GroupListing(name, known.id, before.name if before.name.isprintable() else "", admins)
        self._list(known, listing)
        return self.publication(group)

    def unpublish(self, group: str) -> Publication:
        """See the face."""
        known = self._managed(group)
        name = self._name_of(known)
        self._list(known, GroupListing(name, known.id, "", ()))
        return self.publication(group)

    def _list(self, group: StoredGroup, listing: GroupListing) -> None:
        listing.check()
        with self._database.transaction():
            if not name_keys.of(self._database, group.chat, listing.name):
                self._make_key(group, listing.name)
            name_work.add(self._database, group.chat, listing.name, WorkKind.LIST, bcs.encode(listing))
        self._changes.troubles.pop(group.chat, None)
        self._changes.hurry()

    def _has_changed(self, work: NameWork) -> None:
        """Tells the group what it is called in the directory now, and whose the keys are."""
        group = stored.find(self._database, work.chat)
        if group is None or work.kind is not WorkKind.LIST or not self._may_manage(group):
            return
        listing = bcs.decode(GroupListing, work.value)
        name = str(listing.name) if listing.admins else ""
        if name:
            self._announce_keys(group, listing.name)
        if group.presentation.directory_name != name:
            self._say(group, SetDirectoryName(name))

    # Owners

    def set_owner(self, group: str, name: Username, is_owner: bool) -> Publication:
        """See the face."""
        known = self._managed(group)
        called = self._name_of(known)
        keys = [SigningPublic.from_text(key) for key, whose in known.presentation.owner_keys if whose == name]
        if is_owner and not self._is_admin(known, name):
            raise Refused(f"{name} is no admin of the group: only admins should own its name")
        if not keys:
            raise NotFound(
                f"no client of {name} has announced a key for {called}: one does that by itself when it next runs"
            )
        with self._database.transaction():
            for key in keys[-1:] if is_owner else keys:
                self._change_owner(known, called, key, is_owner=is_owner)
        self._changes.troubles.pop(group, None)
        self._changes.hurry()
        return self.publication(group)

    def renew_owner(self, group: str) -> Publication:
        """See the face."""
        known = self._managed(group)
        called = self._name_of(known)
        with self._database.transaction():
            before = self._publics(group, called)
            fresh = signing.public_of(self._make_key(known, called))
            self._announce_keys(known, called)
            self._change_owner(known, called, fresh, is_owner=True)
            for key in before:
                self._change_owner(known, called, key, is_owner=False)
        self._changes.hurry()
        return self.publication(group)

    def remove_owner_key(self, group: StoredGroup, name: GroupName, key: SigningPublic) -> None:
        """Has somebody's key own the name no more, as soon as the directory takes that."""
        self._change_owner(group, name, key, is_owner=False)
        self._changes.hurry()

    def offer_key(self, group: StoredGroup, name: GroupName) -> None:
        """Sees to it that an admin can be made an owner by another one without being there: makes and announces a key, once."""
        with self._database.transaction():
            if not name_keys.of(self._database, group.chat, name):
                self._make_key(group, name)
            self._announce_keys(group, name)

    def own_keys(self, group: StoredGroup, name: GroupName) -> list[SigningPublic]:
        """The public halves of this account's keys for a name."""
        return self._publics(group.chat, name)

    def _change_owner(self, group: StoredGroup, name: GroupName, key: SigningPublic, *, is_owner: bool) -> None:
        kind = WorkKind.ADD_OWNER if is_owner else WorkKind.REMOVE_OWNER
        name_work.add(self._database, group.chat, name, kind, bytes(key))

    def _make_key(self, group: StoredGroup, name: GroupName) -> SigningSecret:
        secret = signing.new_secret()
        if not name_keys.add(self._database, group.chat, name, secret):
            raise Refused(f"this account has made {name_keys.MOST} keys for {name} already")
        self._own_devices.tell(NameOwner(group.id, name, secret.text()))
        return secret

    def _announce_keys(self, group: StoredGroup, name: GroupName) -> None:
        known = {key for key, _ in group.presentation.owner_keys} | self._announced
        for public in reversed(self._publics(group.chat, name)[:MOST_OWNER_KEYS_OF_ONE]):
            if public.text() not in known:
                self._say(group, OwnerKey(public.text()))
                self._announced.add(public.text())

    # Other devices

    def say_again(self) -> None:
        """Tells the account's other devices all keys; call it in a transaction."""
        for chat, name, secret in name_keys.all_of(self._database):
            self._own_devices.tell(NameOwner(Hash.from_text(chat), name, secret.text()))

    def _take(self, event: NameOwner, sent_at: int, outcome: Outcome) -> None:
        name_keys.add(self._database, event.group.hex(), event.name, SigningSecret.from_text(event.secret))

    # Helpers

    def _require(self, group: str) -> StoredGroup:
        known = stored.find(self._database, group)
        if known is None:
            raise NotFound("there is no such group here")
        return known

    def _managed(self, group: str) -> StoredGroup:
        known = self._require(group)
        if not self._may_manage(known):
            raise Refused("only admins of the group can do that")
        return known

    def _may_manage(self, group: StoredGroup) -> bool:
        return group.state is GroupState.MEMBER and self._is_admin(group, self._session.account.username)

    def _is_admin(self, group: StoredGroup, user: Username) -> bool:
        member = group_members.find(self._database, group.chat, user)
        return member is not None and member.is_active and member.is_admin

    def _name_of(self, group: StoredGroup) -> GroupName:
        name = group.presentation.directory_name
        if not name:
            raise NotFound("the group has no name in the directory")
        return GroupName(name)

    def _say(self, group: StoredGroup, command: Command) -> None:
        self._outbox.queue_control(group.chat, MANAGE, group_command.render(command))
