"""Who a server is: the keys of its directory and home server, and the server's name, made at the first start and kept."""

import secrets
import string
from pathlib import Path

import msgspec

from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.errors import Malformed
from xirtam_core.names import ServerName
from xirtam_server.config import Role, ServerConfig, StartFailed
from xirtam_server.data_dir import write_private

NAME_FILE = "server.name"
SERVER_KEY = "server.key"
DIRECTORY_KEY = "directory.key"
_LETTERS = string.ascii_lowercase + string.digits


class HomeIdentity(msgspec.Struct, frozen=True):
    """The name and the secret by which others know a home server."""

    name: ServerName
    key: SigningSecret


def home_identity(config: ServerConfig, data_dir: Path, role: Role) -> HomeIdentity:
    """The home server's identity; what is missing is made. Raises `StartFailed` where it has another name than it is told."""
    key = _key(config.keys.server, data_dir / SERVER_KEY)
    return HomeIdentity(_name(config.name, data_dir, may_make_up=role is Role.NETWORK), key)


def directory_key(config: ServerConfig, data_dir: Path) -> SigningSecret:
    """The secret with which the directory signs, made if there is none; raises `StartFailed`."""
    return _key(config.keys.directory, data_dir / DIRECTORY_KEY)


def find_name(data_dir: Path) -> str | None:
    """The name of the home server whose data is in `data_dir`."""
    return _read(data_dir / NAME_FILE)


def _name(told: ServerName | None, data_dir: Path, *, may_make_up: bool) -> ServerName:
    known = find_name(data_dir)
    if known is None:
        if told is None and not may_make_up:
            raise StartFailed("this home server has no name yet: give it one with --name")
        known = told or "~local_" + "".join(secrets.choice(_LETTERS) for _ in range(6))
        write_private(data_dir / NAME_FILE, known + "\n")
    elif told is not None and told != known:
        raise StartFailed(f"{data_dir} belongs to the server {known}: leave --name out, or name another --data-dir")
    return ServerName(known)


def _key(told: Path | None, usual: Path) -> SigningSecret:
    if told is not None:
        found = find_key(told)
        if found is None:
            raise StartFailed(f"there is no key in {told}: name the file it is in under [keys] in the configuration")
        return found
    found = find_key(usual)
    if found is None:
        found = signing.new_secret()
        write_private(usual, found.text() + "\n")
    return found


def find_key(path: Path) -> SigningSecret | None:
    """The key in a file, None where there is no file; raises `StartFailed` for one that is damaged or not ours to read."""
    text = _read(path)
    if text is None:
        return None
    try:
        return SigningSecret.from_text(text)
    except Malformed:
        raise StartFailed(f"the key in {path} is damaged: restore it from a backup") from None


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is damaged"
        raise StartFailed(f"cannot read {path}: {reason}") from None
