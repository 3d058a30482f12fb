"""Values of any wire type, derived from its annotations just as its codecs are; and every type that there is."""

import importlib
import pkgutil
import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin, get_type_hints

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import xirtam_core.protocol
import xirtam_core.rpc
from tests.builders import seeded, signing_secret
from xirtam_core.codec.integers import Width
from xirtam_core.codec.primitives import (
    AeadKey,
    AuthToken,
    Base64Bytes,
    DhSecret,
    FixedBytes,
    SigningPublic,
    SigningSecret,
    StreamKey,
)
from xirtam_core.codec.wire import Newtype, Variant, Wire
from xirtam_core.crypto import signing
from xirtam_core.names import GroupName, ServerName, Username
from xirtam_core.protocol.directory import ServerUrl
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.home_server import HomeServer
from xirtam_core.rpc.service import RawJson, Service

SERVICES: tuple[type[Service], ...] = (HomeServer, Directory)

few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
"""For a test that runs for each type or method: a handful of values, since there are many types."""

SECRETS: tuple[type[FixedBytes], ...] = (AeadKey, AuthToken, DhSecret, SigningSecret, StreamKey)

# Besides honest keys, the odd ones that the wire lets pass: non-canonical, of small order, x = 0 with a sign.
_ODD_KEYS = (bytes(32), b"\xff" * 32, b"\x01" + bytes(31), b"\x01" + bytes(30) + b"\x80")
_SIGNING_KEYS = [
    *(signing.public_of(signing_secret(f"key {number}")) for number in range(6)),
    *(SigningPublic(raw) for raw in _ODD_KEYS),
]

_NAME_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
_URLS = ["http://127.0.0.1:8080/", "https://chat.example.org/", "tcp://[::1]:4001", "lz4tcp://chat.example.org:4002"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
"""JSON that a reader may meet where it expects something."""


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of the type that `annotation` names."""
    if annotation is RawJson:
        return json_values.map(RawJson)
    return _values_of(annotation)


@cache
def _values_of(annotation: Any) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        (width,) = annotation.__metadata__
        if not isinstance(width, Width):
            return _values_of(annotation.__origin__)
        largest = 256**width.size - 1
        return st.integers(0, largest) | st.sampled_from([0, 1, 127, 128, largest, largest >> 1])
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return st.lists(_values_of(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(_values_of(item) for item in arguments))
    if origin is Mapping:
        return st.dictionaries(_values_of(arguments[0]), _values_of(arguments[1]), max_size=3)
    if origin in (Union, types.UnionType):
        return st.one_of(*(st.none() if member is type(None) else _values_of(member) for member in arguments))
    assert isinstance(annotation, type), annotation
    return _plain(annotation)


def _plain(kind: type[Any]) -> st.SearchStrategy[Any]:
    if issubclass(kind, Wire):
        fields = [_values_of(hint) for hint in fields_of(kind).values()]
        return st.tuples(*fields).map(lambda values: kind(*values))
    if kind is SigningPublic:
        return st.sampled_from(_SIGNING_KEYS)
    if issubclass(kind, FixedBytes):
        random_looking = st.integers(0, 2**32).map(lambda seed: seeded(f"{kind.__name__} {seed}", kind.size))
        if kind in SECRETS:  # which must not turn up by chance in what is no secret
            return random_looking.map(kind)
        return (random_looking | st.binary(min_size=kind.size, max_size=kind.size)).map(kind)
    if issubclass(kind, Base64Bytes):
        return (st.binary(max_size=40) | st.binary(min_size=120, max_size=140)).map(kind)
    if kind is bool:
        return st.booleans()
    if kind in (Username, ServerName, GroupName):
        return st.text(_NAME_LETTERS, min_size=5, max_size=15).map(lambda bare: kind(kind.sigil + bare))
    if kind is ServerUrl:
        return st.sampled_from(_URLS).map(ServerUrl)
    assert kind is str, kind
    return st.text(max_size=20)


def fields_of(kind: type[Wire]) -> dict[str, Any]:
    """The annotated fields of a wire type, in order."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: hint for name, hint in hints.items() if get_origin(hint) is not ClassVar}


def wire_types() -> list[type[Wire]]:
    """Every wire type of the protocol and of the calls."""
    for package in (xirtam_core.protocol, xirtam_core.rpc):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    ours = ("xirtam_core.protocol.", "xirtam_core.rpc.")
    return sorted(
        (kind for kind in _below(Wire) if kind.__module__.startswith(ours)), key=lambda kind: kind.__qualname__
    )


def _below(kind: type[Wire]) -> Iterator[type[Wire]]:
    for child in kind.__subclasses__():
        if child not in (Variant, Newtype):
            yield child
        yield from _below(child)


def method_types(service: type[Service], attribute: str) -> tuple[tuple[Any, ...], Any]:
    """The annotations of a method's parameters and of its result."""
    hints = get_type_hints(getattr(service, attribute), include_extras=True)
    result = hints.pop("return")
    return tuple(hints.values()), result


def wire_annotations() -> dict[str, Any]:
    """Every wire type, and every type that a method takes or gives, by a name to show."""
    found: dict[str, Any] = {kind.__qualname__: kind for kind in wire_types()}
    for service in SERVICES:
        for entry in service.methods.values():
            params, result = method_types(service, entry.attribute)
            for annotation in (*params, result):
                if annotation not in (RawJson, type(None)):
                    found.setdefault(_shown(annotation), annotation)
    return found


def _shown(annotation: Any) -> str:
    return annotation.__qualname__ if get_origin(annotation) is None else str(annotation).replace("xirtam_core.", "")
