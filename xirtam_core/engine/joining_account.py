"""An account that a device of this machine is about to join: its place on the disk, and what it has to join with."""

from pathlib import Path

from nacl.bindings import randombytes

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AuthToken, Base64Bytes
from xirtam_core.crypto import dh, signing
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.directory_alarm import DirectoryAlarm
from xirtam_core.engine.joining import Joiner, OnCode
from xirtam_core.engine.network import Network
from xirtam_core.engine.open_account import OpenAccount, let_go, open_place
from xirtam_core.errors import AccountExists, Malformed, NotFound, Unverified
from xirtam_core.join_link import JoinLink
from xirtam_core.names import Username
from xirtam_core.protocol.device_bundle import DeviceBundle
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import joining as stored
from xirtam_core.storage.account_directory import AccountDirectory
from xirtam_core.storage.database import Database
from xirtam_core.storage.headers import StoredHeaders
from xirtam_core.storage.joining import Joining, Waiting
from xirtam_core.storage.keys import KeyPlace

_LONGEST_BUNDLE = 64 * 1024


def read_bundle(text: str) -> DeviceBundle:
    """The bundle in `text`, white space around it ignored; raises `Malformed` with a reason for a person, and without the text."""
    text = text.strip()
    try:
        if len(text) > _LONGEST_BUNDLE:
            raise Malformed("longer than any")
        bundle = bcs.decode(DeviceBundle, Base64Bytes.from_text(text))
    except Malformed:
        raise Malformed("this is no device bundle, or it is damaged: copy it again, whole") from None
    if signing.public_of(bundle.device_secret) != bundle.chain.this.pk:
        raise Malformed("this device bundle is damaged: its key and its certificate do not belong together")
    return bundle


class JoiningAccount:
    """What is held while a device joins; used in the engine's loop only."""

    def __init__(
        self, place: AccountDirectory, database: Database, joining: Joining, data_dir: Path, clock: Clock
    ) -> None:
        self._place = place
        self._database = database
        self._joining = joining
        self._data_dir = data_dir
        self._clock = clock

    async def join(self, on_code: OnCode) -> OpenAccount:
        """Takes all steps that remain; gives the account, opened. Ended before that, it leaves what it needs to go on.

        What can never become a device of the account leaves nothing behind. Raises what `Joiner.run` raises.
        """
        alarm = DirectoryAlarm(self._database, Announcer(), self._clock)
        headers = StoredHeaders(self._database, self._clock)
        network = Network(self._joining.link, headers, self._database, alarm.raise_alarm)
        try:
            account = await Joiner(self._database, self._joining, network, self._clock, on_code).run()
            self._place.mark_complete()
            return OpenAccount(self._place, self._database, account, self._data_dir, self._clock)
        except BaseException as fault:
            is_hopeless = isinstance(fault, NotFound | Unverified) and stored_account.find(self._database) is None
            let_go(self._place, self._database, is_hopeless=is_hopeless)
            raise
        finally:
            await network.close()


def open_bundle(
    data_dir: Path,
    link: JoinLink,
    bundle: DeviceBundle,
    key_place: KeyPlace | None,
    passphrase: str | None,
    clock: Clock,
) -> JoiningAccount:
    """The account that a bundle is for, the bundle kept; raises `AccountExists` and `Locked`."""
    return _opened(data_dir, link, bundle.username, bundle, key_place, passphrase, clock)


def open_pairing(
    data_dir: Path, link: JoinLink, name: Username, key_place: KeyPlace | None, passphrase: str | None, clock: Clock
) -> JoiningAccount:
    """The account that a device wants to be paired with, its keys kept: the same ones as before, if it was cut off."""
    return _opened(data_dir, link, name, None, key_place, passphrase, clock)


def _opened(
    data_dir: Path,
    link: JoinLink,
    name: Username,
    bundle: DeviceBundle | None,
    key_place: KeyPlace | None,
    passphrase: str | None,
    clock: Clock,
) -> JoiningAccount:
    place, database = open_place(data_dir, name, key_place, passphrase)
    try:
        joining = _prepared(database, link, name, bundle, seconds(clock))
        return JoiningAccount(place, database, joining, data_dir, clock)
    except BaseException:
        database.close()
        place.unlock()
        raise


def _prepared(database: Database, link: JoinLink, name: Username, bundle: DeviceBundle | None, now_s: int) -> Joining:
    """What the device joins with: what an earlier attempt began, if that is the same, else something new."""
    account = stored_account.find(database)
    if account is not None:
        return _half_way(database, account, link, bundle, now_s)
    begun = stored.find(database)
    if begun is not None and begun.link.directory_pk == link.directory_pk and _is_same(begun, bundle):
        joining = Joining(begun.username, link, begun.device_secret, begun.admission, begun.began_s)
    elif bundle is not None:
        joining = Joining(name, link, bundle.device_secret, bundle.chain, now_s)
    else:
        waiting = Waiting(dh.new_secret(), AuthToken(randombytes(AuthToken.size)))
        joining = Joining(name, link, signing.new_secret(), waiting, now_s)
    stored.begin(database, joining)
    return joining


def _is_same(begun: Joining, bundle: DeviceBundle | None) -> bool:
    if bundle is None:
        return isinstance(begun.admission, Waiting)
    return begun.device_secret == bundle.device_secret


def _half_way(
    database: Database, account: stored_account.Account, link: JoinLink, bundle: DeviceBundle | None, now_s: int
) -> Joining:
    """What remains for a device that is one of the account already; raises `AccountExists` where something else has begun."""
    is_other = bundle is not None and bundle.device_secret != account.device_secret
    if not account.chain.ancestors or is_other or account.link.directory_pk != link.directory_pk:
        raise AccountExists(
            f"something else has begun here for {account.username}, a registration or another device: finish that, or use "
            "another data directory"
        )
    stored_account.store_link(database, link)
    return Joining(account.username, link, account.device_secret, account.chain, now_s)
