"""What a server says of itself, as servers of different ages say it (spec: extensions.md)."""

import json

from xirtam_core.codec import jsonwire
from xirtam_core.rpc.home_server import ServerInfo, ServerLimits

OLD = {
    "server_name": "~harbor",
    "software": "xirtam 0.1.0",
    "features": ["device_auth_challenge"],
    "limits": {"max_message_bytes": 720_000, "max_ttl": 0},
}


def test_a_server_that_does_not_speak_of_fragments_is_understood() -> None:
    limits = jsonwire.decode(ServerInfo, json.dumps(OLD)).limits
    assert limits == ServerLimits(720_000, 0)
    assert limits.fragment_quota is None
    assert limits.max_fragment_bytes is None


def test_the_bounds_of_fragments_are_read_where_they_are_given_and_what_is_new_to_us_is_passed_over() -> None:
    said = OLD | {"limits": OLD["limits"] | {"fragment_quota": 2**40, "max_fragment_bytes": 700_000, "later": [1]}}
    assert jsonwire.decode(ServerInfo, json.dumps(said)).limits == ServerLimits(720_000, 0, 2**40, 700_000)
