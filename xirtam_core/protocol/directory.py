"""What the directory holds and says (spec: directory.md)."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from xirtam_core.codec import bcs
from xirtam_core.codec.integers import U64, Timestamp
from xirtam_core.codec.primitives import Base64Bytes, Hash, IntegerBytes, Signature, SigningPublic, SigningSecret
from xirtam_core.codec.wire import Newtype, Variant, Wire
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.errors import Malformed
from xirtam_core.names import GroupName, ServerName, Username
from xirtam_core.protocol.blob import SERVER_DESCRIPTOR, USER_DESCRIPTOR, Blob

DIRECTORY_ID: Final = "nullspace-directory"
ZERO_HASH: Final = Hash(bytes(32))
_SCHEMES: Final = ("http", "https", "tcp", "lz4tcp", "ws", "wss")


class ServerUrl(str):
    """A URL of a server; raises `Malformed` for one that no client can use."""

    __slots__ = ()

    def __new__(cls, text: str) -> "ServerUrl":
        try:
            parts = urlsplit(text)
            usable = bool(parts.scheme) and (parts.scheme not in _SCHEMES or bool(parts.hostname)) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or any(character <= " " for character in text):
            raise Malformed("not a URL")
        return super().__new__(cls, text)


class UserDescriptor(Wire):
    """Where a user is hosted, and the hash of their root key."""

    server_name: ServerName
    root_cert_hash: Hash

    def blob(self) -> Blob:
        """The value to put into the directory."""
        return Blob(USER_DESCRIPTOR, Base64Bytes(bcs.encode(self)))

    @classmethod
    def from_blob(cls, blob: Blob) -> "UserDescriptor":
        """The descriptor in `blob`; raises `Malformed`."""
        if blob.kind != USER_DESCRIPTOR:
            raise Malformed("the directory holds something else than a user under this name")
        return bcs.decode(cls, blob.inner)


class ServerDescriptor(Wire):
    """Where a server is reached, best URL first, and its key."""

    public_urls: tuple[ServerUrl, ...]
    server_pk: SigningPublic

    def blob(self) -> Blob:
        """The value to put into the directory."""
        return Blob(SERVER_DESCRIPTOR, Base64Bytes(bcs.encode(self)))

    @classmethod
    def from_blob(cls, blob: Blob) -> "ServerDescriptor":
        """The descriptor in `blob`; raises `Malformed`."""
        if blob.kind != SERVER_DESCRIPTOR:
            raise Malformed("the directory holds something else than a server under this name")
        return bcs.decode(cls, blob.inner)


class AddOwner(Newtype):
    """Gives a key power over the name."""

    variant = "AddOwner"
    value: SigningPublic


class DelOwner(Newtype):
    """Takes it away."""

    variant = "DelOwner"
    value: SigningPublic


class Update(Newtype):
    """Replaces the name's value."""

    variant = "Update"
    value: Blob


UpdateType = AddOwner | DelOwner | Update


class DirectoryUpdate(Wire):
    """One step in a name's history, signed by one of its owners."""

    prev_update_hash: Hash
    update_type: AddOwner | DelOwner | Update
    signature: Signature

    def signed_bytes(self) -> bytes:
        """What the owner signs."""
        return _update_bytes(self.prev_update_hash, self.update_type)

    def hash(self) -> Hash:
        """What the next update of the name links to."""
        return bcs_hash(self)


def _update_bytes(previous: Hash, update_type: UpdateType) -> bytes:
    return bcs.encode((previous, update_type), tuple[Hash, AddOwner | DelOwner | Update])


def sign_update(owner: SigningSecret, previous: Hash, update_type: UpdateType) -> DirectoryUpdate:
    """`update_type` after the update with hash `previous` (zero for the first), signed by `owner`."""
    return DirectoryUpdate(previous, update_type, signing.sign(owner, _update_bytes(previous, update_type)))


class DirectoryHeader(Wire):
    """One height of the log: the header before it, and the root of the tree of all names."""

    prev: Hash
    smt_root: Hash
    time_unix: Timestamp

    def hash(self) -> Hash:
        """What the next header and the anchor name."""
        return bcs_hash(self)


class DirectoryChunk(Wire):
    """What one height of the log added: new updates only."""

    header: DirectoryHeader
    updates: Mapping[str, tuple[DirectoryUpdate, ...]]


class DirectoryAnchor(Wire):
    """The newest header, signed by the directory."""

    directory_id: str
    last_header_height: U64
    last_header_hash: Hash
    signature: Signature

    def signed_bytes(self) -> bytes:
        """What the directory signs."""
        return _anchor_bytes(self.directory_id, self.last_header_height, self.last_header_hash)

    def is_signed_by(self, directory_pk: SigningPublic) -> bool:
        """Whether the directory with key `directory_pk` made it, as this protocol's directory."""
        return self.directory_id == DIRECTORY_ID and signing.verifies(directory_pk, self.signed_bytes(), self.signature)


def _anchor_bytes(directory_id: str, height: int, header_hash: Hash) -> bytes:
    return bcs.encode((directory_id, height, header_hash), tuple[str, U64, Hash])


def sign_anchor(directory: SigningSecret, height: int, header_hash: Hash) -> DirectoryAnchor:
    """The anchor for the header with hash `header_hash` at `height`."""
    signature = signing.sign(directory, _anchor_bytes(DIRECTORY_ID, height, header_hash))
    return DirectoryAnchor(DIRECTORY_ID, height, header_hash, signature)


class DirectoryItem(Wire):
    """A name's whole history, and the proof that it is in the tree at `proof_height` (absent: no history)."""

    history: tuple[DirectoryUpdate, ...]
    proof_height: U64
    proof_merkle_branch: Base64Bytes


class EquiX(Variant):
    """The only kind of work asked for."""

    variant = "EquiX"
    effort: U64


class PowSeed(Wire):
    """Work to do before an update, until `use_before` (Unix seconds)."""

    algo: EquiX
    seed: Hash
    use_before: Timestamp


class PowSolution(Wire):
    """The work done. `solution` should be 16 bytes; another length is the directory's to refuse."""

    seed: Hash
    nonce: U64
    solution: IntegerBytes


Name = Username | ServerName | GroupName
"""What the directory maps from."""
