"""How an operator says where fragments are kept: the path of a folder, or `s3://bucket/prefix`."""

from pathlib import Path
from urllib.parse import urlsplit

from xirtam_core.errors import XirtamError
from xirtam_server.storage.bodies.files import FileBodies
from xirtam_server.storage.bodies.interface import BodyStore

_SCHEME = "s3://"


class FragmentsUnusable(XirtamError):
    """The place for fragments cannot be used; the text says why and what to do, in one line."""


async def open_bodies(location: str) -> BodyStore:
    """The store at `location`; raises `FragmentsUnusable`. Whether an S3 store answers shows only when it is used."""
    if location.startswith(_SCHEME):
        return _objects(location)
    if "://" in location:
        raise FragmentsUnusable("fragments are kept in a folder or in s3://BUCKET/PREFIX: name one of these")
    try:
        return await FileBodies.open(Path(location))
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise FragmentsUnusable(
            f"cannot keep fragments in {location} ({reason}): name a folder that can be written"
        ) from None


def _objects(location: str) -> BodyStore:
    import obstore.exceptions

    # Loaded only where it is used: it takes its time, and most servers keep files.
    from xirtam_server.storage.bodies.objects import ObjectBodies

    parts = urlsplit(location)
    if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise FragmentsUnusable("fragments in S3 are named s3://BUCKET/PREFIX; credentials go into the environment")
    try:
        return ObjectBodies(parts.netloc, parts.path.strip("/"))
    except (obstore.exceptions.BaseError, ValueError) as fault:
        kind = type(fault).__name__
        raise FragmentsUnusable(
            f"the settings for S3 in the environment are not usable ({kind}): look at the AWS_… variables"
        ) from None
