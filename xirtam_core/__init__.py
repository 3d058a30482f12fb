"""xirtam's library: an account's engine, for an app, a command or a bot (docs/bots.md).

What is exported here is what a bot needs. It is loaded when it is first used: a server imports the protocol alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xirtam_core.accounts import open_account, register
    from xirtam_core.chat import Change, Chat, Connection, Message, MessageKind, Page, Received, SendState, Status
    from xirtam_core.client import Client
    from xirtam_core.devices import Device
    from xirtam_core.errors import (
        AccountExists,
        IdentityChanged,
        InUse,
        Locked,
        Malformed,
        NotFound,
        PassphraseNeeded,
        Refused,
        SecurityAlarm,
        Unreachable,
        XirtamError,
    )
    from xirtam_core.join_link import JoinLink
    from xirtam_core.names import ServerName, Username
    from xirtam_core.people import Contact, Standing
    from xirtam_core.remote_client import reach
    from xirtam_core.settings import KeyPlace, Routing, Settings, Strangers
    from xirtam_core.shared_client import open_shared

_HOMES = {
    "accounts": ("open_account", "register"),
    "chat": ("Change", "Chat", "Connection", "Message", "MessageKind", "Page", "Received", "SendState", "Status"),
    "client": ("Client",),
    "devices": ("Device",),
    "errors": (
        "AccountExists",
        "IdentityChanged",
        "InUse",
        "Locked",
        "Malformed",
        "NotFound",
        "PassphraseNeeded",
        "Refused",
        "SecurityAlarm",
        "Unreachable",
        "XirtamError",
    ),
    "join_link": ("JoinLink",),
    "names": ("ServerName", "Username"),
    "people": ("Contact", "Standing"),
    "remote_client": ("reach",),
    "settings": ("KeyPlace", "Routing", "Settings", "Strangers"),
    "shared_client": ("open_shared",),
}

__all__ = [
    "AccountExists",
    "Change",
    "Chat",
    "Client",
    "Connection",
    "Contact",
    "Device",
    "IdentityChanged",
    "InUse",
    "JoinLink",
    "KeyPlace",
    "Locked",
    "Malformed",
    "Message",
    "MessageKind",
    "NotFound",
    "Page",
    "PassphraseNeeded",
    "Received",
    "Refused",
    "Routing",
    "SecurityAlarm",
    "SendState",
    "ServerName",
    "Settings",
    "Standing",
    "Status",
    "Strangers",
    "Unreachable",
    "Username",
    "XirtamError",
    "open_account",
    "open_shared",
    "reach",
    "register",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"xirtam_core.{module}"), name)
    raise AttributeError(f"module 'xirtam_core' has no attribute {name!r}")
