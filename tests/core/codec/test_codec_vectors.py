"""The codecs against the recorded verdicts of the reference (spec: encoding.md)."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.vectors_of import each, vectors
from tests.wire_strategies import wire_types
from xirtam_core.codec import bcs, jsonwire, primitives
from xirtam_core.codec.integers import NanoTimestamp, Timestamp
from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.crypto.hashing import hash_bytes
from xirtam_core.errors import Malformed
from xirtam_core.protocol.blob import Blob

_KINDS: dict[str, Any] = {
    **{kind.__name__: kind for kind in wire_types()},
    "Timestamp": Timestamp,
    "NanoTimestamp": NanoTimestamp,
    # In JSON the recorded map shows its bytes as arrays of integers, which no map of ours does: only its BCS is of use.
    "map string → bytes": Mapping[str, Base64Bytes],
}

_BCS = vectors("bcs")["bcs"]
_WHOLE = [case for case in _BCS if "bcs" in case]
_LONG = [case for case in _BCS if "prefix" in case]
_JSON = vectors("bcs")["json"]


def kind_of(case: dict[str, Any]) -> Any:
    name = case["type"]
    return _KINDS.get(name) or getattr(primitives, name)


@each("case", _WHOLE, "what")
def test_bcs_is_accepted_just_where_the_reference_accepts_it_and_comes_out_the_same(case: dict[str, Any]) -> None:
    raw, kind = bytes.fromhex(case["bcs"]), kind_of(case)
    if not case["accepted"]:
        with pytest.raises(Malformed):
            bcs.decode(kind, raw)
        return
    value = bcs.decode(kind, raw)
    assert bcs.encode(value, kind) == raw
    if case["type"] != "map string → bytes":
        assert json.loads(jsonwire.encode(value, kind)) == case["json"]
        assert jsonwire.decode(kind, json.dumps(case["json"])) == value


def test_a_map_comes_out_in_the_order_of_its_encoded_keys_however_it_was_filled() -> None:
    case = next(case for case in _WHOLE if case["what"] == "sorted by encoded key")
    value = {key: Base64Bytes(case["json"][key]) for key in ("é", "b", "aa", "a")}
    assert bcs.encode(value, Mapping[str, Base64Bytes]).hex() == case["bcs"]


@each("case", _LONG, "what")
def test_lengths_take_as_many_bytes_as_they_need(case: dict[str, Any]) -> None:
    payload = b"\x07" * int(case["what"].split()[2])
    raw = bcs.encode(Blob("k", Base64Bytes(payload)))
    assert raw.startswith(bytes.fromhex(case["prefix"]))
    assert len(raw) == case["length"]
    assert hash_bytes(raw) == Hash.from_text(case["H"])
    assert bcs.decode(Blob, raw).inner == payload


@each("case", _JSON, "what")
def test_json_is_accepted_just_where_the_reference_accepts_it(case: dict[str, Any]) -> None:
    text, kind = json.dumps(case["json"]), kind_of(case)
    if not case["accepted"]:
        with pytest.raises(Malformed):
            jsonwire.decode(kind, text)
    else:
        assert bcs.encode(jsonwire.decode(kind, text), kind).hex() == case["bcs"]


@each("case", vectors("primitives")["types"], "type")
def test_each_primitive_has_the_bcs_the_json_and_the_hash_of_the_reference(case: dict[str, Any]) -> None:
    raw, kind = bytes.fromhex(case["bcs"]), kind_of(case)
    value = bcs.decode(kind, raw)
    assert bcs.encode(value, kind) == raw
    assert json.loads(jsonwire.encode(value, kind)) == case["json"]
    assert jsonwire.decode(kind, json.dumps(case["json"])) == value
    assert hash_bytes(raw).hex() == case["bcs_hash"]


@each("case", vectors("primitives")["signing_public_decoding"], "public")
def test_a_signing_key_is_accepted_just_where_the_reference_finds_a_point(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["public"])
    if case["decodes"]:
        assert primitives.SigningPublic(raw) == raw
    else:
        with pytest.raises(Malformed):
            bcs.decode(primitives.SigningPublic, b"\x20" + raw)
        with pytest.raises(Malformed):
            primitives.SigningPublic.from_text(Base64Bytes(raw).text())
