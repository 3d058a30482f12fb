"""Wire values in JSON: what travels in calls and in the bodies of structured events (spec: encoding.md, JSON)."""

from typing import Any, TypeVar

from xirtam_core.codec import jsontext
from xirtam_core.codec.schema import codec_of

T = TypeVar("T")


def encode(value: object, annotation: Any = None) -> bytes:
    """The JSON text of a wire value; `annotation` gives the type where the value does not show it."""
    return jsontext.render(codec_of(annotation or type(value)).to_json(value))


def decode(kind: type[T], text: bytes | str) -> T:
    """The value of type `kind` that the JSON `text` stands for; raises `Malformed`."""
    return codec_of(kind).from_json(jsontext.parse(text))
