"""Secrets that a test knows, and what may not show them: files, logs, whatever an object says of itself."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

from xirtam_core.storage import account as stored_account
from xirtam_core.storage import medium_keys, owner_keys
from xirtam_core.storage.database import Database


class Canaries:
    """What must not be seen, each by a name."""

    def __init__(self, **texts: str) -> None:
        self._forms = {name: {text.encode()} for name, text in texts.items()}

    def learn(self, database: Database) -> None:
        """Adds the secrets that an account's database holds."""
        account = stored_account.find(database)
        assert account is not None
        assert account.token is not None
        self._add(f"device secret of {account.username}", account.device_secret)
        self._add(f"token of {account.username}", account.token)
        for secret in owner_keys.secrets(database):
            self._add(f"owner key of {account.username}", secret)
        for _, secret in medium_keys.openers(database):
            self._add(f"medium-term secret of {account.username}", secret)

    def _add(self, name: str, secret: bytes) -> None:
        text = [repr(bytes(secret))[2:-1], secret.hex(), secret.hex().upper(), str(list(secret))[1:-1]]
        text += [encode(secret).decode().rstrip("=") for encode in (base64.b64encode, base64.urlsafe_b64encode)]
        self._forms.setdefault(name, set()).update([bytes(secret), *(form.encode() for form in text)])

    def in_bytes(self, raw: bytes) -> list[str]:
        """The names of those that `raw` shows."""
        return [name for name, forms in self._forms.items() if any(form in raw for form in forms)]

    def in_text(self, text: str) -> list[str]:
        """The names of those that `text` shows."""
        return self.in_bytes(text.encode(errors="surrogateescape"))

    def in_files(self, files: Mapping[Path, bytes]) -> list[tuple[Path, str]]:
        """Which file shows which of them."""
        return [(path, name) for path, raw in files.items() for name in self.in_bytes(raw)]


def files_under(place: Path) -> dict[Path, bytes]:
    """Everything that lies there at the moment."""
    return {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}


def objects_of(root: object) -> Iterator[object]:
    """Every object of ours that can be come to from `root`, once."""
    seen: dict[int, object] = {}
    waiting: list[Any] = [root]
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen[id(found)] = found
        if type(found).__module__.startswith("xirtam_core"):
            yield found
        waiting += _parts(found)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, MethodType):
        return [value.__self__]
    if isinstance(value, FunctionType):
        return [cell.cell_contents for cell in value.__closure__ or ()]
    if not type(value).__module__.startswith("xirtam_core"):
        return []
    names = {name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())}
    return [*getattr(value, "__dict__", {}).values(), *(getattr(value, name, None) for name in names)]
