"""What people say of themselves (spec: devices.md, Profiles)."""

from xirtam_core.faces.face import Face, repeatable
from xirtam_core.names import Username
from xirtam_core.people import Profile


class Profiles(Face):
    """The account's own profile, and those of others."""

    part = "profiles"

    @repeatable
    async def profile(self, name: Username) -> Profile:
        """What `name`, who may be this account, says of themselves, asked for now.

        Raises `NotFound` and `Unreachable`, and `Unverified` where none of their devices has signed what their server shows.
        """
        ...

    @repeatable
    async def set_display_name(self, display_name: str | None) -> Profile:
        """Publishes what others see beside this account's name, None for nothing; it is published when this returns.

        Raises `Malformed` for what is no single line or too long, `Unreachable`, and `Refused`.
        """
        ...
