"""What the directory holds: descriptors, histories, headers, anchors, chunks (spec: directory.md)."""

from typing import Any

import pytest

from tests.builders import account, history_of, signing_secret, user_history
from tests.vectors_of import each, vectors
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Base64Bytes, Hash, SigningPublic, SigningSecret
from xirtam_core.codec.schema import codec_of
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.errors import Malformed
from xirtam_core.names import ServerName
from xirtam_core.protocol import update_history
from xirtam_core.protocol.blob import SERVER_DESCRIPTOR, USER_DESCRIPTOR, Blob
from xirtam_core.protocol.directory import (
    ZERO_HASH,
    AddOwner,
    DelOwner,
    DirectoryAnchor,
    DirectoryChunk,
    DirectoryHeader,
    DirectoryUpdate,
    ServerDescriptor,
    ServerUrl,
    Update,
    UserDescriptor,
    sign_anchor,
    sign_update,
)
from xirtam_core.protocol.update_history import NameState, NoOwners, WrongLink, WrongSignature

_VECTORS = vectors("directory")
_VERDICTS = {"invalid_prev_hash": WrongLink, "no_owners": NoOwners, "invalid_signature": WrongSignature}
_OWNERS = [SigningSecret(bytes.fromhex(secret)) for secret in _VECTORS["owner_secrets"]]


def both_ways(kind: Any, recorded: dict[str, Any]) -> Any:
    """The value that `recorded` has in BCS and in JSON, having been read and written in both."""
    value = bcs.decode(kind, bytes.fromhex(recorded["bcs"]))
    assert bcs.encode(value, kind).hex() == recorded["bcs"]
    assert codec_of(kind).to_json(value) == recorded["json"]
    assert codec_of(kind).from_json(recorded["json"]) == value
    return value


@each("case", _VECTORS["histories"], "what")
def test_a_history_holds_just_where_the_reference_says_so(case: dict[str, Any]) -> None:
    history = both_ways(tuple[DirectoryUpdate, ...], {"bcs": case["bcs"], "json": case["updates"]})
    assert [update.hash().hex() for update in history] == case["hashes"]
    assert [update.signed_bytes().hex() for update in history] == case["signed"]
    if case["result"] == "valid":
        state = update_history.replay(history)
        assert state.last_hash == (history[-1].hash() if history else ZERO_HASH)
        return
    with pytest.raises(_VERDICTS[case["result"]]):
        update_history.replay(history)


def test_a_history_comes_out_of_its_owners_keys_as_the_same_bytes() -> None:
    for case in _VECTORS["histories"]:
        if case["result"] != "valid":
            continue
        for update in bcs.decode(tuple[DirectoryUpdate, ...], bytes.fromhex(case["bcs"])):
            candidates = (sign_update(owner, update.prev_update_hash, update.update_type) for owner in _OWNERS)
            assert any(bcs.encode(made) == bcs.encode(update) for made in candidates)


def test_the_texts_of_the_verdicts_are_those_of_the_directory() -> None:
    assert str(WrongLink()) == "update hash does not link to previous update"
    assert str(NoOwners()) == "no owners available to verify update"
    assert str(WrongSignature()) == "invalid update signature"


def test_the_state_of_a_name_follows_its_updates() -> None:
    alice, bobby = signing_secret("alice"), signing_secret("bobby")
    first, second = Blob("k", Base64Bytes(b"1")), Blob("k", Base64Bytes(b"2"))
    state = update_history.replay(history_of(alice, first))
    assert (state.owners, state.value) == ((signing.public_of(alice),), first)
    for owner, change in (
        (alice, AddOwner(signing.public_of(bobby))),
        (bobby, DelOwner(signing.public_of(alice))),
        (bobby, Update(second)),
    ):
        state = update_history.apply(state, sign_update(owner, state.last_hash, change))
    assert (state.owners, state.value) == ((signing.public_of(bobby),), second)
    with pytest.raises(WrongSignature):
        update_history.apply(state, sign_update(alice, state.last_hash, Update(first)))


def test_a_name_whose_last_owner_left_keeps_its_value_and_is_open_to_anybody() -> None:
    alice, bobby = signing_secret("alice"), signing_secret("bobby")
    value = Blob("k", Base64Bytes(b"1"))
    state = update_history.replay(history_of(alice, value))
    state = update_history.apply(state, sign_update(alice, state.last_hash, DelOwner(signing.public_of(alice))))
    assert (state.owners, state.value) == ((), value)
    with pytest.raises(NoOwners):
        update_history.apply(state, sign_update(alice, state.last_hash, Update(value)))
    with pytest.raises(WrongSignature):
        update_history.apply(state, sign_update(alice, state.last_hash, AddOwner(signing.public_of(bobby))))
    state = update_history.apply(state, sign_update(bobby, state.last_hash, AddOwner(signing.public_of(bobby))))
    assert (state.owners, state.value) == ((signing.public_of(bobby),), value)


def test_an_owner_added_twice_is_one_owner() -> None:
    alice = signing_secret("alice")
    state = update_history.replay(history_of(alice, Blob("k", Base64Bytes(b""))))
    again = sign_update(alice, state.last_hash, AddOwner(signing.public_of(alice)))
    assert update_history.apply(state, again).owners == state.owners


def test_a_replay_goes_on_from_a_state() -> None:
    history = user_history(account("alice"))
    middle = update_history.replay(history[:1])
    assert update_history.replay(history[1:], middle) == update_history.replay(history)
    assert update_history.replay(()) == NameState()


def test_descriptors() -> None:
    for kind, recorded, blob_kind in (
        (UserDescriptor, _VECTORS["user_descriptor"], USER_DESCRIPTOR),
        (ServerDescriptor, _VECTORS["server_descriptor"], SERVER_DESCRIPTOR),
    ):
        value: UserDescriptor | ServerDescriptor = both_ways(kind, recorded)
        assert bcs_hash(value).hex() == recorded["bcs_hash"]
        assert value.blob() == Blob(blob_kind, Base64Bytes(bytes.fromhex(recorded["bcs"])))
        assert kind.from_blob(value.blob()) == value
        with pytest.raises(Malformed):
            kind.from_blob(Blob("v1.another_descriptor", value.blob().inner))
        with pytest.raises(Malformed):
            kind.from_blob(Blob(blob_kind, Base64Bytes(value.blob().inner + b"\x00")))


@pytest.mark.parametrize(
    "url", ["", "chat.example.org", "/x", "http://", "http://[::1", "http://a b/", "tcp://x:99999", "\n"]
)
def test_one_url_that_does_not_parse_spoils_a_descriptor(url: str) -> None:
    with pytest.raises(Malformed):
        ServerUrl(url)
    raw = bcs.encode(("http://x/", url, signing.public_of(signing_secret("s"))), tuple[str, str, SigningPublic])
    with pytest.raises(Malformed):
        bcs.decode(ServerDescriptor, b"\x02" + raw)


@pytest.mark.parametrize(
    "url", ["http://x/", "tcp://chat.example.org:4001", "lz4tcp://[::1]:1", "wss://x/y?z", "gopher://x"]
)
def test_a_url_of_any_scheme_is_a_url(url: str) -> None:
    assert ServerUrl(url) == url


def test_headers_link_to_each_other_by_hash_from_zero() -> None:
    previous = ZERO_HASH
    for height, recorded in enumerate(_VECTORS["headers"]):
        header: DirectoryHeader = both_ways(DirectoryHeader, recorded)
        assert (header.prev, recorded["height"]) == (previous, height)
        assert header.hash().hex() == recorded["hash"]
        previous = header.hash()


def test_an_anchor_is_made_as_the_reference_makes_it() -> None:
    recorded = _VECTORS["anchor"]
    anchor: DirectoryAnchor = codec_of(DirectoryAnchor).from_json(recorded["json"])
    secret, public = SigningSecret(bytes.fromhex(_VECTORS["directory_secret"])), _VECTORS["directory_public"]
    assert anchor.signed_bytes().hex() == recorded["signed"]
    assert anchor.is_signed_by(SigningPublic.from_text(public))
    assert sign_anchor(secret, anchor.last_header_height, anchor.last_header_hash) == anchor
    assert codec_of(DirectoryAnchor).to_json(anchor) == recorded["json"]


def test_an_anchor_of_another_directory_or_with_anything_changed_is_not_the_directorys() -> None:
    secret = signing_secret("directory")
    public, anchor = signing.public_of(secret), sign_anchor(signing_secret("directory"), 7, Hash(bytes(32)))
    fields = (anchor.last_header_height, anchor.last_header_hash)
    other_id = DirectoryAnchor("another-directory", *fields, anchor.signature)
    resigned = DirectoryAnchor(other_id.directory_id, *fields, signing.sign(secret, other_id.signed_bytes()))
    higher = DirectoryAnchor(anchor.directory_id, 8, anchor.last_header_hash, anchor.signature)
    assert anchor.is_signed_by(public)
    assert not any(odd.is_signed_by(public) for odd in (other_id, resigned, higher))
    assert not anchor.is_signed_by(signing.public_of(signing_secret("alice")))


def test_chunks() -> None:
    chunk: DirectoryChunk = both_ways(DirectoryChunk, _VECTORS["chunk"])
    for history in chunk.updates.values():
        update_history.replay(history)


def test_a_user_history_ends_in_where_the_user_is() -> None:
    alice = account("alice")
    value = update_history.replay(user_history(alice, "~harbor")).value
    assert value is not None
    assert UserDescriptor.from_blob(value) == UserDescriptor(ServerName("~harbor"), alice.hash)
