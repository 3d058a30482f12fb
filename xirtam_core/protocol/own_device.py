"""What an account's devices tell each other, in events to oneself that nobody else can read (spec: extensions.md, Own devices).

The body is JSON with a `kind`; each kind is a subclass of `OwnDeviceEvent` with its name as `tag`.
"""

from xirtam_core.protocol.control import Body


class OwnDeviceEvent(Body, frozen=True, tag_field="kind"):
    """The base of all kinds."""

    @classmethod
    def kind_name(cls) -> str:
        """What `kind` says in a body of this class."""
        return str(cls.__struct_config__.tag)


class Kind(Body, frozen=True):
    """The one field that all kinds have."""

    kind: str


def kind_of(raw: bytes) -> str:
    """Which kind of event a body is of; raises `Malformed`."""
    return Kind.parse(raw).kind
