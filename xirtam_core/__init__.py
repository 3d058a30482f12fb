"""xirtam's library: an account's engine, for an app, a command or a bot (docs/bots.md).

What is exported here is what a bot needs. It is loaded when it is first used: a server imports the protocol alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xirtam_core.accounts import open_account, register
    from xirtam_core.chat import Change, Chat, Message, MessageKind, SendState
    from xirtam_core.client import Client
    from xirtam_core.errors import XirtamError
    from xirtam_core.join_link import JoinLink
    from xirtam_core.names import ServerName, Username
    from xirtam_core.remote_client import reach
    from xirtam_core.settings import Settings, Strangers

__all__ = [
    "Change",
    "Chat",
    "Client",
    "JoinLink",
    "Message",
    "MessageKind",
    "SendState",
    "ServerName",
    "Settings",
    "Strangers",
    "Username",
    "XirtamError",
    "open_account",
    "reach",
    "register",
]

_HOMES = {
    "accounts": ("open_account", "register"),
    "chat": ("Change", "Chat", "Message", "MessageKind", "SendState"),
    "client": ("Client",),
    "errors": ("XirtamError",),
    "join_link": ("JoinLink",),
    "names": ("ServerName", "Username"),
    "remote_client": ("reach",),
    "settings": ("Settings", "Strangers"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"xirtam_core.{module}"), name)
    raise AttributeError(f"module 'xirtam_core' has no attribute {name!r}")
