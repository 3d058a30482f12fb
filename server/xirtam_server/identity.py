"""Who a network is: the keys of its directory and home server, and the server's name, made at the first start and kept."""

import secrets
import string
from pathlib import Path

import msgspec

from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.errors import Malformed
from xirtam_core.names import ServerName
from xirtam_server.config import StartFailed
from xirtam_server.data_dir import write_private

_LETTERS = string.ascii_lowercase + string.digits


class Identity(msgspec.Struct, frozen=True):
    """The secrets by which others know this network."""

    directory: SigningSecret
    server: SigningSecret
    name: ServerName


def load_or_make(data_dir: Path, name: ServerName | None) -> Identity:
    """The identity kept in `data_dir`; what is missing is made. Raises `StartFailed` where `name` is not the name it has."""
    standing = data_dir / "server.name"
    known = _read(standing)
    if known is None:
        known = name or "~local_" + "".join(secrets.choice(_LETTERS) for _ in range(6))
        write_private(standing, known + "\n")
    elif name is not None and name != known:
        raise StartFailed(f"{data_dir} belongs to the server {known}: leave --name out, or name another --data-dir")
    return Identity(_key(data_dir / "directory.key"), _key(data_dir / "server.key"), ServerName(known))


def _key(path: Path) -> SigningSecret:
    text = _read(path)
    if text is not None:
        try:
            return SigningSecret.from_text(text)
        except Malformed:
            raise StartFailed(f"the key in {path} is damaged: restore it from a backup") from None
    key = signing.new_secret()
    write_private(path, key.text() + "\n")
    return key


def _read(path: Path) -> str | None:
    return path.read_text().strip() if path.exists() else None
