"""All that a home server is told: who it is, whom it lets in, and its bounds."""

import msgspec

from xirtam_core.names import ServerName
from xirtam_server.home.fragments import FragmentLimits
from xirtam_server.home.limits import HomeLimits
from xirtam_server.home.proxying import ProxyPolicy
from xirtam_server.home.rates import RateLimits
from xirtam_server.home.registration import RegistrationPolicy


class HomeSettings(msgspec.Struct, frozen=True):
    """What an operator decides; the defaults suit a small public server."""

    name: ServerName
    limits: HomeLimits = HomeLimits()
    rates: RateLimits = RateLimits()
    registration: RegistrationPolicy = RegistrationPolicy()
    fragments: FragmentLimits = FragmentLimits()
    proxy: ProxyPolicy = ProxyPolicy()
    legacy_device_auth: bool = False
