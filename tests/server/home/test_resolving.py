"""Which addresses may be called for somebody else."""

from ipaddress import ip_address

import pytest

from xirtam_core.errors import NotConnected
from xirtam_server.home.resolving import Resolver, is_public


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"])
def test_ordinary_addresses_may_be_called(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
        ),
        *("192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"),
        *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:1.1.1.1", "64:ff9b::7f00:1"),
        *("64:ff9b:1::1", "2002:7f00:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "100::1"),
        *("fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "3fff::1", "4000::1"),
    ],
)
def test_private_special_and_disguised_addresses_may_not_be_called(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "::1", "0"])
async def test_however_loopback_is_written_it_is_not_called_unless_allowed(host: str) -> None:
    public, private = Resolver(private_addresses=False), Resolver(private_addresses=True)
    try:
        with pytest.raises(NotConnected):
            await public.resolve(host)
        assert await private.resolve(host)
    finally:
        public.close()
        private.close()


@pytest.mark.parametrize("host", ["", "a" * 64 + ".example", "name.invalid", "[", "ü" * 80, "fe80::1%lo"])
async def test_a_name_that_leads_nowhere_is_no_connection(host: str) -> None:
    resolver = Resolver(private_addresses=False)
    try:
        with pytest.raises(NotConnected):
            await resolver.resolve(host)
    finally:
        resolver.close()
