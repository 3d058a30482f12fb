"""Reads a configuration file: TOML, checked whole, so that a slip of the pen is said at the start and not met at night.

Paths in it are taken from where the file is.
"""

import math
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, cast, get_args

import msgspec

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.errors import Malformed
from xirtam_core.names import ServerName
from xirtam_core.protocol.directory import ServerUrl
from xirtam_server.config import BadConfiguration, ServerConfig

_WHERE = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"Object missing required field `(.*)`$")
_MAY_BE_0: Final = frozenset(
    (
        "limits.directory_callers.reads_per_source",
        "limits.directory_callers.updates_per_source",
        "limits.fragments.max_ttl_s",
        "limits.home.max_ttl_s",
        "limits.rates.anonymous_per_mailbox",
        "limits.rates.anonymous_per_source",
        "limits.rates.costly_per_source",
        "limits.rates.invites_per_source",
        "limits.rates.most_held_back",
        "limits.rates.patience_s",
        "listen.lz4_port",
        "listen.port",
        "listen.tcp_port",
        "metrics.port",
        "metrics.stats_every_s",
        "registration.prepared_s",
    )
)
"""The numbers whose docstrings give 0 a meaning. Any other bound or interval of 0 would hang the server or let it spin."""
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`$")


def load(path: Path | None, flags: Mapping[str, Any]) -> ServerConfig:
    """What the file at `path` says, if there is one, with `flags` (by dotted key) over it; raises `BadConfiguration`."""
    try:
        raw = "" if path is None else path.read_text()
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is not text"
        raise BadConfiguration(f"cannot read the configuration {path}: {reason}") from None
    return parse(raw, path.name if path else "", path.resolve().parent if path else Path.cwd(), flags)


def parse(raw: str, source: str, folder: Path, flags: Mapping[str, Any] | None = None) -> ServerConfig:
    """The configuration in `raw`, which came from the file `source` in `folder`; raises `BadConfiguration`."""
    try:
        told = msgspec.toml.decode(raw)
        for dotted, value in (flags or {}).items():
            _put(told, dotted.split("."), value)
        config = msgspec.convert(told, ServerConfig, dec_hook=lambda kind, value: _custom(kind, value, folder))
    except msgspec.ValidationError as fault:
        raise BadConfiguration(_prefixed(source, _explain(str(fault)))) from None
    except msgspec.DecodeError as fault:
        raise BadConfiguration(_prefixed(source, f"this is not TOML: {fault}")) from None
    for dotted, value in _numbers(config):
        may_be_0 = dotted in _MAY_BE_0
        if value < 0 or not math.isfinite(value) or (value == 0 and not may_be_0):
            allowed = "from 0 on" if may_be_0 else "above 0"
            raise BadConfiguration(_prefixed(source, f"{dotted} is {value}: give it a number {allowed}"))
    return config


def _prefixed(source: str, text: str) -> str:
    return f"{source}: {text}" if source else text


def _put(told: dict[str, Any], keys: list[str], value: Any) -> None:
    section = told
    for name in keys[:-1]:
        inner = section.setdefault(name, {})
        if not isinstance(inner, dict):
            return  # the file is wrong there, and is about to be told
        section = cast("dict[str, Any]", inner)
    section[keys[-1]] = value


def _custom(kind: type, value: Any, folder: Path) -> Any:
    """A value of one of our own types from text; raises `ValueError`, which msgspec makes its own."""
    if not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
    if kind is Path:
        return folder / Path(value).expanduser()
    if kind is ServerName:
        return ServerName.parse(value)
    if kind is SigningPublic:
        try:
            return SigningPublic.from_text(value)
        except Malformed:
            raise ValueError("a public key is 43 characters, as in a join link") from None
    if kind is ServerUrl:
        return _server_url(value)
    raise NotImplementedError(kind)


def _server_url(text: str) -> ServerUrl:
    """The URL in the normal form that descriptors hold: one of HTTP has a path."""
    url = ServerUrl(text)
    scheme, _, rest = url.partition("://")
    if scheme in ("tcp", "lz4tcp"):
        if ":" not in rest.rpartition("]")[2]:
            raise ValueError(f"{text} names no port, and {scheme} has no usual one")
    elif scheme in ("http", "https", "ws", "wss"):
        return ServerUrl(url if "/" in rest else url + "/")
    else:
        raise ValueError(f"{text} has none of the schemes http, https, ws, wss, tcp and lz4tcp")
    return url


def _explain(complaint: str) -> str:
    """What msgspec complains of, for somebody who wrote a file: the key, and what is allowed."""
    where = _WHERE.search(complaint)
    dotted = where[1] if where else ""
    what = complaint[: where.start()] if where else complaint
    kind = _kind_at(dotted)
    unknown = _UNKNOWN.match(what)
    if unknown is not None and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        place = f"[{dotted}]" if dotted else "the part before the first section"
        return f"{place} has no key {unknown[1]}; it has {', '.join(kind.__struct_fields__)}"
    missing = _MISSING.match(what)
    if missing is not None:
        return f"[{dotted}] needs the key {missing[1]}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"{dotted} must be one of {', '.join(str(member.value) for member in kind)}"
    return (
        f"{dotted}: {what[:1].lower()}{what[1:]}".replace("`", "").replace(" | null", "").replace("object", "a section")
    )


def _kind_at(dotted: str) -> Any:
    """The type that the value at a dotted key has, without the None that may stand in for it."""
    kind: Any = ServerConfig
    for key in filter(None, re.split(r"[.\[]", dotted)):
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            break
        found: Any = {field.name: field.type for field in msgspec.structs.fields(kind)}.get(key)
        options: list[Any] = [option for option in get_args(found) if isinstance(option, type)]
        kind = options[0] if options else found
    return cast("Any", kind)


def _numbers(struct: msgspec.Struct, above: str = "") -> Iterator[tuple[str, float]]:
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if isinstance(value, msgspec.Struct):
            yield from _numbers(value, f"{above}{name}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield above + name, value
