"""What holds for every type on the wire, found by walking them all (spec: encoding.md)."""

import json
from collections.abc import Mapping
from random import Random
from typing import Any, cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire_strategies import few, fields_of, json_values, values_of, wire_annotations, wire_types
from xirtam_core.codec import bcs, jsontext, jsonwire
from xirtam_core.codec.wire import Newtype, Variant, Wire
from xirtam_core.errors import Malformed

_ALL = wire_annotations()
every_type = pytest.mark.parametrize("kind", _ALL.values(), ids=_ALL)
seeds = st.integers(0, 2**32)
ATTEMPTS = 40
"""Ways of damaging each value."""


def shape(value: Any) -> Any:
    """`value` with the type of each part, so that a hash and as many plain bytes differ."""
    if isinstance(value, Wire):
        return type(value), tuple(shape(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, tuple):
        return tuple(shape(item) for item in value)  # type: ignore[reportUnknownVariableType]
    if isinstance(value, Mapping):
        return {key: (type(key), shape(item)) for key, item in value.items()}  # type: ignore[reportUnknownVariableType]
    return type(value), value


@every_type
@few
@given(data=st.data())
def test_a_value_survives_bcs_and_json(kind: Any, data: st.DataObject) -> None:
    value = data.draw(values_of(kind))
    assert shape(bcs.decode(kind, bcs.encode(value, kind))) == shape(value)
    assert shape(jsonwire.decode(kind, jsonwire.encode(value, kind))) == shape(value)


@every_type
@few
@given(data=st.data(), seed=seeds)
def test_damaged_bcs_is_refused_or_is_the_one_encoding_of_another_value(
    kind: Any, data: st.DataObject, seed: int
) -> None:
    whole, chance = bcs.encode(data.draw(values_of(kind)), kind), Random(seed)
    for _ in range(ATTEMPTS):
        assert_strict(kind, damaged(whole, chance))


def damaged(whole: bytes, chance: Random) -> bytes:
    raw = bytearray(whole)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(raw) + 1)
        match chance.randrange(4):
            case 0:
                raw[at : at + 1] = chance.randbytes(1)
            case 1:
                del raw[at : at + chance.randint(1, 8)]
            case 2:
                raw[at:at] = chance.choice([b"\x00", b"\x01", b"\x80", b"\xff", b"\x80\x00", b"\xff\xff\xff\xff\x07"])
            case _:
                raw += raw[at:]
    return bytes(raw)


@every_type
@few
@given(raw=st.binary(max_size=120), seed=seeds)
def test_random_bytes_are_refused_or_are_the_one_encoding_of_a_value(kind: Any, raw: bytes, seed: int) -> None:
    assert_strict(kind, raw)
    assert_strict(kind, Random(seed).randbytes(100))


def assert_strict(kind: Any, raw: bytes) -> None:
    try:
        value = bcs.decode(kind, raw)
    except Malformed:
        return
    assert bcs.encode(value, kind) == raw


@every_type
@few
@given(data=st.data(), seed=seeds, others=st.lists(json_values, min_size=3, max_size=3))
def test_json_with_a_part_exchanged_is_refused_or_read_and_nothing_else_happens(
    kind: Any, data: st.DataObject, seed: int, others: list[Any]
) -> None:
    whole, chance = json.loads(jsonwire.encode(data.draw(values_of(kind)), kind)), Random(seed)
    for _ in range(ATTEMPTS):
        try:
            value = jsonwire.decode(kind, json.dumps(exchanged(whole, others, chance)))
        except Malformed:
            continue
        assert jsonwire.decode(kind, jsonwire.encode(value, kind)) == value


def exchanged(tree: Any, others: list[Any], chance: Random) -> Any:
    """`tree` with some part of it, or the whole, made something else."""
    if isinstance(tree, list) and tree and chance.random() < 0.8:
        items = cast("list[Any]", tree)
        at = chance.randrange(len(items))
        return [exchanged(item, others, chance) if number == at else item for number, item in enumerate(items)]
    if isinstance(tree, dict) and tree and chance.random() < 0.8:
        fields = cast("dict[str, Any]", tree)
        at = chance.choice(list(fields))
        return {key: exchanged(item, others, chance) if key == at else item for key, item in fields.items()}
    odd: list[Any] = [*others, None, True, -1, 0, 2**64, 1.0, "", "@alice", "ab" * 32, [], {}, [tree], {"value": tree}]
    return chance.choice(odd)


_STRUCTS = {kind.__qualname__: kind for kind in wire_types() if not issubclass(kind, Variant)}
every_struct = pytest.mark.parametrize("kind", _STRUCTS.values(), ids=_STRUCTS)


@every_struct
@few
@given(data=st.data())
def test_a_struct_in_json_passes_over_unknown_fields_and_refuses_repeated_or_missing_ones(
    kind: type[Wire], data: st.DataObject
) -> None:
    value = data.draw(values_of(kind))
    text = jsonwire.encode(value).decode()
    fields: dict[str, Any] = json.loads(text)
    field = data.draw(st.sampled_from(sorted(fields)))
    rest = text.removeprefix("{")
    assert jsonwire.decode(kind, '{"more":[1.5,{"a":1,"a":2}],"more":null,' + rest) == value
    with pytest.raises(Malformed):
        jsonwire.decode(kind, f'{{"{field}":{json.dumps(fields[field])},' + rest)
    without = json.dumps({name: item for name, item in fields.items() if name != field})
    if type(None) in get_args(fields_of(kind)[field]):
        assert getattr(jsonwire.decode(kind, without), field) is None
    else:
        with pytest.raises(Malformed):
            jsonwire.decode(kind, without)


@every_struct
@few
@given(data=st.data())
def test_a_struct_in_json_may_come_as_the_array_of_its_fields_and_of_no_more_or_fewer(
    kind: type[Wire], data: st.DataObject
) -> None:
    value = data.draw(values_of(kind))
    items = list(json.loads(jsonwire.encode(value)).values())
    assert jsonwire.decode(kind, json.dumps(items)) == value
    for wrong in (items[:-1], [*items, None]):
        with pytest.raises(Malformed):
            jsonwire.decode(kind, json.dumps(wrong))


def test_an_enum_in_json_is_one_name_and_one_payload() -> None:
    variants = [kind for kind in _ALL.values() if isinstance(kind, type) and issubclass(kind, Newtype)]
    assert variants
    for kind in variants:
        for wrong in (
            "{}",
            "[]",
            "null",
            '"nobody"',
            '{"nobody":1}',
            f'"{kind.variant}"',
            f'{{"{kind.variant}":1,"x":1}}',
        ):
            with pytest.raises(Malformed):
                jsonwire.decode(kind, wrong)


@few
@given(data=st.data())
def test_what_json_text_stands_for_is_what_was_rendered(data: st.DataObject) -> None:
    value = data.draw(json_values)
    assert jsontext.parse(jsontext.render(value)) == value
