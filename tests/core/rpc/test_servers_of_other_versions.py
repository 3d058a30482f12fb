"""What servers of other versions say of themselves, and do not (spec: extensions.md)."""

import json

import pytest

from xirtam_core.codec import jsonwire
from xirtam_core.errors import Malformed
from xirtam_core.rpc.home_server import ServerInfo

OLD = {
    "server_name": "~harbor",
    "software": "xirtam 0.1.0",
    "features": ["device_auth_challenge"],
    "limits": {"max_message_bytes": 720_000, "max_ttl": 0},
}


def test_a_server_that_does_not_say_whom_it_takes_is_understood() -> None:
    info = jsonwire.decode(ServerInfo, json.dumps(OLD))
    assert info.registration is None
    assert info.limits.max_message_bytes == 720_000


def test_what_a_later_server_says_beyond_our_words_is_passed_over() -> None:
    later = OLD | {
        "registration": "by_election",
        "motto": {"la": "…"},
        "features": ["device_auth_challenge", "telepathy"],
    }
    info = jsonwire.decode(ServerInfo, json.dumps(later))
    assert info.registration == "by_election"
    assert info.features == ("device_auth_challenge", "telepathy")


def test_a_server_that_does_not_say_what_it_accepts_is_not_understood() -> None:
    with pytest.raises(Malformed):
        jsonwire.decode(ServerInfo, json.dumps({"server_name": "~harbor"}))
