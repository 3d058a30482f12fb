"""Before there is an account: asking a directory about names. What was verified is kept while the process lives."""

from pathlib import Path

from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.engine.register import check_name as ask
from xirtam_core.errors import Locked, PassphraseNeeded, StorageFault
from xirtam_core.join_link import JoinLink
from xirtam_core.names import Username
from xirtam_core.registration import NameAnswer
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.transports.pool import Failover, TransportPool
from xirtam_core.storage import account as stored_account
from xirtam_core.storage.account import Account
from xirtam_core.storage.account_directory import AccountDirectory
from xirtam_core.storage.unlocking import unlock

_CALL_TIMEOUT_S = 10.0
_pool = TransportPool()
_directories: dict[JoinLink, DirectoryClient] = {}


async def check_name(data_dir: Path, link: JoinLink, name: Username) -> NameAnswer:
    """What the directory says of `name`, from the standing of this machine; raises `Unreachable` and `Unverified`."""
    place = AccountDirectory(data_dir, name)
    if place.is_complete:
        return NameAnswer.TAKEN
    if link not in _directories:
        stub = Directory.stub(Failover(link.directory_urls, _pool), timeout_s=_CALL_TIMEOUT_S)
        _directories[link] = DirectoryClient(stub, link.directory_pk, MemoryHeaderStore())
    try:
        begun = _begun(place)
    except PassphraseNeeded:  # whose it is cannot be seen from outside; going on will ask for the passphrase
        return NameAnswer.OURS
    return await ask(_directories[link], name, begun)


def _begun(place: AccountDirectory) -> Account | None:
    """A registration of this name that has begun here and not finished; raises `PassphraseNeeded` where it is locked with one."""
    if not place.exists:
        return None
    try:
        place.lock()
    except Locked:
        return None
    try:
        database = unlock(place.path, None)
    except PassphraseNeeded:
        raise
    except (Locked, StorageFault):
        return None
    else:
        found = stored_account.find(database)
        database.close()
        return found
    finally:
        place.unlock()
