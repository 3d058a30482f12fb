"""Where the bytes of fragments are kept: in a folder, or in an S3-compatible store."""

from xirtam_server.storage.bodies.interface import BodyStore, new_name
from xirtam_server.storage.bodies.location import FragmentsUnusable, open_bodies

__all__ = ["BodyStore", "FragmentsUnusable", "new_name", "open_bodies"]
