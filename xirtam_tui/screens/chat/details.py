"""What the chat screen shows about people, devices, the network and oneself: each in a sheet that is loaded when first wanted."""

from textual.screen import Screen

from xirtam_core.chat import Chat
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import attempt
from xirtam_tui.keymap import Keymap
from xirtam_tui.moments import Clock
from xirtam_tui.running import running_app


async def show_details(screen: Screen[None], bridge: Bridge, chat: Chat, clock: Clock, keymap: Keymap) -> None:
    """Who the other one in a chat is, or who is in the group."""
    if chat.peer is None:
        from xirtam_tui.screens.group.group import GroupSheet

        await running_app(screen).push_screen(GroupSheet(bridge, chat.id, bridge.account, keymap))
    elif chat.peer == bridge.account:
        await show_profile(screen, bridge)
    else:
        from xirtam_tui.screens.person.person import PersonSheet

        await running_app(screen).push_screen(PersonSheet(bridge, chat, chat.peer, clock))


async def show_alarm(screen: Screen[None], bridge: Bridge, chat: Chat | None) -> None:
    """What the alarm is about: a changed identity, else the directory. A group's is put away at once: its chat says it all."""
    if chat is None or chat.alarm is None:
        await show_network(screen, bridge)
    elif chat.peer is None:
        await attempt(bridge.acknowledge_alarm(chat.id), screen)
    else:
        from xirtam_tui.screens.identity.identity import IdentityChanged

        running_app(screen).clear_notifications()  # the notice says the same, and lies over what is to be compared
        await running_app(screen).push_screen(IdentityChanged(bridge, chat.peer, chat.alarm))


async def show_devices(screen: Screen[None], bridge: Bridge, clock: Clock) -> None:
    """The account's devices."""
    from xirtam_tui.screens.devices.devices import DevicesSheet

    await running_app(screen).push_screen(DevicesSheet(bridge, clock))


async def show_owners(screen: Screen[None], bridge: Bridge) -> None:
    """Who owns the account's name."""
    from xirtam_tui.screens.owners.owners import OwnersSheet

    await running_app(screen).push_screen(OwnersSheet(bridge))


async def show_recovery_key(screen: Screen[None], bridge: Bridge) -> None:
    """The key on paper."""
    from xirtam_tui.screens.recovery_key.recovery_key import RecoveryKeySheet

    await running_app(screen).push_screen(RecoveryKeySheet(bridge))


async def show_backup(screen: Screen[None], bridge: Bridge, clock: Clock) -> None:
    """Backing the account up."""
    from xirtam_tui.screens.backup.backup import BackupSheet

    await running_app(screen).push_screen(BackupSheet(bridge, clock))


async def show_network(screen: Screen[None], bridge: Bridge) -> None:
    """How the network is."""
    from xirtam_tui.screens.network.network import NetworkSheet

    await running_app(screen).push_screen(NetworkSheet(bridge))


async def show_profile(screen: Screen[None], bridge: Bridge) -> None:
    """The account itself."""
    from xirtam_tui.screens.profile.profile import ProfileSheet

    await running_app(screen).push_screen(ProfileSheet(bridge, bridge.account))
