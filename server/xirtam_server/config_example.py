"""Writes a configuration file that holds every key there is, each commented with what it means and its default.

The words are the docstrings of the sections' fields, so the file cannot say anything else than the code.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final, get_args

import msgspec

from xirtam_server.config import ServerConfig

_WIDTH: Final = 118

EXAMPLES: Final[Mapping[str, Any]] = {
    "data_dir": "/var/lib/xirtam",
    "name": "~harbor",
    "exit_when_idle_s": 60.0,
    "listen.port": 7100,
    "listen.tcp_port": 7101,
    "listen.lz4_port": 7102,
    "listen.tls_certificate": "/etc/xirtam/fullchain.pem",
    "listen.tls_key": "/etc/xirtam/privkey.pem",
    "storage.database": "postgresql://xirtam@localhost/xirtam",
    "storage.fragments": "s3://xirtam/fragments",
    "keys.server": "/etc/xirtam/server.key",
    "keys.directory": "/etc/xirtam/directory.key",
    "directory.key": "A" * 43,
    "directory.pow_effort": 1000,
    "directory.chunk_delay_s": 1.0,
    "metrics.port": 7190,
}
"""Values to show of keys that are not set by default, which a file cannot say."""


def render(given: Mapping[str, Any], kind: type[msgspec.Struct] = ServerConfig) -> str:
    """A configuration in which all is commented out and at its default, but for the keys `given`, dotted, with their values."""
    lines = [
        "# Configuration of xirtam-server. A line that starts with # and a key shows a default, or an example where it says so;",
        "# remove the # to change it. Options of the command line override what is here. Sizes are in bytes, times in seconds.",
        *_section(kind, "", given),
    ]
    return "\n".join(lines) + "\n"


def _section(
    kind: type[msgspec.Struct], above: str, given: Mapping[str, Any], *, is_optional: bool = False
) -> Iterator[str]:
    about, meanings = _docstrings(kind)
    fields = msgspec.structs.fields(kind)
    plain = [field for field in fields if _section_kind(field) is None]
    if plain and above:
        is_left_out = is_optional and not any(key.startswith(f"{above}.") for key in given)
        yield ""
        yield f"{'#' if is_left_out else ''}[{above}]"
        yield from _comment(about)
    for field in plain:
        yield from _key(field, f"{above}.{field.name}" if above else field.name, meanings.get(field.name, ""), given)
    for field in fields:
        inner = _section_kind(field)
        if inner is not None:
            name = f"{above}.{field.name}" if above else field.name
            yield from _section(inner, name, given, is_optional=field.default is None)


def _section_kind(field: msgspec.structs.FieldInfo) -> type[msgspec.Struct] | None:
    """What a section holds, be it one that may be left out; None for a plain key."""
    options: tuple[Any, ...] = get_args(field.type) or (field.type,)
    return next((kind for kind in options if isinstance(kind, type) and issubclass(kind, msgspec.Struct)), None)


def _key(field: msgspec.structs.FieldInfo, dotted: str, meaning: str, given: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    default = None if field.default is msgspec.NODEFAULT else field.default
    if default is None and dotted not in given:
        meaning = f"{meaning} Example:".lstrip()
    yield from _comment(meaning)
    if dotted in given:
        yield f"{field.name} = {_toml(given[dotted])}"
    else:
        yield f"#{field.name} = {_toml(EXAMPLES.get(dotted, default) if default is None else default)}"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH)]


def _toml(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:_}" if value >= 10_000 else str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_toml(item) for item in value)}]"  # pyright: ignore[reportUnknownVariableType]
    text = str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _docstrings(kind: type[msgspec.Struct]) -> tuple[str, dict[str, str]]:
    """The docstring of a section, and those of its fields: the strings that follow them in the source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    declared = tree.body[0]
    assert isinstance(declared, ast.ClassDef)
    meanings: dict[str, str] = {}
    for field, after in zip(declared.body, declared.body[1:], strict=False):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                meanings[name] = " ".join(words.split()).replace("`", "")
            case _:
                pass
    return " ".join((kind.__doc__ or "").split()).replace("`", ""), meanings
