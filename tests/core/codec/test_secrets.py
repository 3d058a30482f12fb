"""Secrets stay out of whatever people and logs get to see."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.builders import account, seeded
from tests.wire_strategies import SECRETS, few, fields_of, values_of, wire_annotations
from xirtam_core.codec.primitives import Base64Bytes, FixedBytes
from xirtam_core.codec.wire import Wire
from xirtam_core.errors import Malformed


def secrets_in(value: Any) -> Iterator[FixedBytes]:
    if isinstance(value, SECRETS):
        yield value
    elif isinstance(value, Wire):
        for name in value.__struct_fields__:
            yield from secrets_in(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:  # type: ignore[reportUnknownVariableType]
            yield from secrets_in(item)
    elif isinstance(value, Mapping):
        for item in value.values():  # type: ignore[reportUnknownVariableType]
            yield from secrets_in(item)


def assert_hidden(secret: bytes, shown: str) -> None:
    forms = [repr(bytes(secret))[2:-1], bytes(secret).decode("latin-1"), secret.hex(), str(list(secret))[1:-1]]
    forms += [encode(secret).decode().rstrip("=") for encode in (base64.b64encode, base64.urlsafe_b64encode)]
    for form in forms:
        assert form[:16] not in shown
        assert form[:16].upper() not in shown


def shown(value: object) -> str:
    forms = [repr(value), str(value), f"{value}", f"{value!s:>5}", f"{value!r}", repr([value]), repr({1: value})]
    return "\n".join(forms)


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_shows_nothing_of_itself(kind: type[FixedBytes]) -> None:
    raw = seeded(kind.__name__, kind.size)
    assert_hidden(raw, shown(kind(raw)))
    assert "secret" in repr(kind(raw))


def holds_secrets(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, Wire):
        return any(holds_secrets(field) for field in fields_of(annotation).values())
    return annotation in SECRETS or any(holds_secrets(part) for part in get_args(annotation))


_HOLDERS = {name: kind for name, kind in wire_annotations().items() if holds_secrets(kind)}


@pytest.mark.parametrize("kind", _HOLDERS.values(), ids=_HOLDERS)
@few
@given(data=st.data())
def test_no_value_shows_a_secret_that_it_holds(kind: Any, data: st.DataObject) -> None:
    value = data.draw(values_of(kind))
    text = shown(value)
    for secret in secrets_in(value):
        assume(len(set(secret)) > 8)  # one of a few repeated bytes may stand in a public value by chance
        assert_hidden(secret, text)


def test_opaque_bytes_show_their_size_alone() -> None:
    assert_hidden(seeded("opaque"), shown(Base64Bytes(seeded("opaque"))))


def test_an_account_shows_none_of_its_secrets() -> None:
    alice = account("alice")
    for secret in (alice.secret, alice.medium):
        assert_hidden(secret, shown(alice))


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_of_the_wrong_size_is_refused_without_being_shown(kind: type[FixedBytes]) -> None:
    raw = seeded("too long", kind.size + 1)
    for attempt in (lambda: kind(raw), lambda: kind.from_text(kind.text(raw))):  # type: ignore[arg-type]
        with pytest.raises(Malformed) as caught:
            attempt()
        assert_hidden(raw, shown(caught.value))
