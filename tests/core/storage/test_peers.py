"""What is kept of people's devices."""

from pathlib import Path

from xirtam_core.codec.primitives import DhPublic, Hash
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.storage import peers
from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import DatabaseKey

BOBBY = Username("@bobby")
PHONE, TABLET = Hash(bytes([1]) * 32), Hash(bytes([2]) * 32)


def _look(database: Database, devices: set[Hash], now_s: int) -> int | None:
    """The directory and the server are asked, and name these devices; gives when they last changed."""
    peers.note_devices(database, BOBBY, devices, now_s)
    peers.store_keys(database, BOBBY, {each: (DhPublic(bytes(each)), now_s) for each in devices})
    found = peers.find(database, BOBBY)
    assert found is not None
    return found.devices_changed_s


def test_a_persons_devices_have_changed_when_one_comes_or_goes_and_not_at_the_first_look(tmp_path: Path) -> None:
    database = Database(tmp_path / "account.db", DatabaseKey(bytes(32)))
    descriptor = UserDescriptor(server_name=ServerName("~harbor"), root_cert_hash=Hash(bytes([9]) * 32))
    peers.store(database, BOBBY, descriptor, 1, None)
    assert _look(database, {PHONE}, 10) is None
    assert _look(database, {PHONE}, 20) is None, "a new key is no new device"
    assert _look(database, {PHONE, TABLET}, 30) == 30
    assert _look(database, {PHONE, TABLET}, 40) == 30
    assert _look(database, {TABLET}, 50) == 50
    database.close()
