"""An account that is about to be recovered on this machine: its place on the disk, and what is held meanwhile."""

from pathlib import Path

from xirtam_core.clock import Clock
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.directory_alarm import DirectoryAlarm
from xirtam_core.engine.network import Network
from xirtam_core.engine.open_account import OpenAccount, let_go, open_place
from xirtam_core.engine.recovery import OnRecovery, Recovery, Wanted
from xirtam_core.errors import AccountExists
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import joining, recovering
from xirtam_core.storage.account_directory import AccountDirectory
from xirtam_core.storage.database import Database
from xirtam_core.storage.headers import StoredHeaders
from xirtam_core.storage.keys import KeyPlace


class RecoveringAccount:
    """What is held while an account is recovered; used in the engine's loop only."""

    def __init__(
        self, place: AccountDirectory, database: Database, wanted: Wanted, data_dir: Path, clock: Clock
    ) -> None:
        self._place = place
        self._database = database
        self._wanted = wanted
        self._data_dir = data_dir
        self._clock = clock

    async def recover(self, on_progress: OnRecovery) -> OpenAccount:
        """Takes all steps that remain; gives the account, opened. Ended before that, it leaves what it needs to go on.

        Until the first thing is done that counts, nothing is left behind. Raises what `Recovery.run` raises.
        """
        alarm = DirectoryAlarm(self._database, Announcer(), self._clock)
        headers = StoredHeaders(self._database, self._clock)
        network = Network(self._wanted.link, headers, self._database, alarm.raise_alarm)
        try:
            account = await Recovery(self._database, self._wanted, network, self._clock, on_progress).run()
            self._place.mark_complete()
            recovering.drop(self._database)
            return OpenAccount(self._place, self._database, account, self._data_dir, self._clock)
        except BaseException:
            let_go(self._place, self._database, is_hopeless=stored_account.find(self._database) is None)
            raise
        finally:
            await network.close()


def open_recovery(
    data_dir: Path, wanted: Wanted, key_place: KeyPlace | None, passphrase: str | None, clock: Clock
) -> RecoveringAccount:
    """The place of an account to be recovered, or of a recovery that has begun; raises `AccountExists` and `Locked`."""
    place, database = open_place(data_dir, wanted.name, key_place, passphrase)
    try:
        _check_is_free(database, wanted)
        return RecoveringAccount(place, database, wanted, data_dir, clock)
    except BaseException:
        database.close()
        place.unlock()
        raise


def _check_is_free(database: Database, wanted: Wanted) -> None:
    account = stored_account.find(database)
    has_begun = recovering.find(database) is not None
    is_other = account is not None and (not has_begun or account.link.directory_pk != wanted.link.directory_pk)
    if is_other or joining.find(database) is not None:
        raise AccountExists(
            f"something else has begun here for {wanted.name}, a registration or another device: use another data directory"
        )
