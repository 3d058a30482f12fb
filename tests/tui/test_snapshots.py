"""Every screen as a picture, small and large, dark and light. `pytest --snapshot-update` renews them; look at them then."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion
from textual.events import Paste
from textual.widgets import Input, TextArea

from tests.tui.demo import CLIMBERS_ROSTER, Script, climbers, demo_client
from tests.tui.fake_client import LINK, NOW_NS, FakeClient, FakeMachine
from tests.tui.fake_devices import CODE, NOW_S, device
from tests.tui.fake_groups import group
from tests.tui.fake_home import home_offer, hosted
from tests.tui.fake_owners import KEY, owner, recovery_owner
from tests.tui.piloting import Driver, machine_app
from xirtam_core.chat import Evidence, Finding, MessageKind
from xirtam_core.devices import OwnerKind
from xirtam_core.errors import InUse, Refused, StorageFault, Unreachable
from xirtam_core.groups import GroupState
from xirtam_core.home_move import HomeStep
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.recovery_key import RecoveryKey
from xirtam_core.registration import Progress, RecoveryProgress, RecoveryStep, Step
from xirtam_tui.screens.chat.chat import ChatScreen
from xirtam_tui.screens.recovery_key import new_key

_run_id = re.compile(r"terminal-\d+-")
Act = Callable[[Driver], Awaitable[None]]


def with_arranged() -> FakeMachine:
    client = demo_client()
    client.add_group(*climbers(), roster=CLIMBERS_ROSTER, unread=2)
    client.change_chat("@erin_m", is_pinned=True)
    client.change_chat("@bobby", is_muted=True)
    client.change_chat("@frankfurter1", is_archived=True)
    return FakeMachine(client)


def with_unwilling_preferences() -> FakeMachine:
    client = demo_client()
    client.preferences.error = StorageFault("the disk is full: nothing was changed")
    return FakeMachine(client)


async def show_settings(driver: Driver) -> None:
    await driver.sees("bobby")
    await driver.press("ctrl+s")
    await driver.sees("Colours", "Ring the bell")


async def settings_refused(driver: Driver) -> None:
    await show_settings(driver)
    await driver.press("end", "up", "enter")
    await driver.sees("The disk is full")


async def arranged(driver: Driver) -> None:
    await driver.sees("PINNED", "ARCHIVED (1)")


def with_account() -> FakeMachine:
    return FakeMachine(demo_client())


def with_request() -> FakeMachine:
    client = demo_client()
    asked = Script("@zelda", NOW_NS).say(
        "zelda", "Hello! Bobby gave me your name. Are you the one with the printing press?"
    )
    client.add_chat("@zelda", asked.messages, unread=1, standing=Standing.REQUEST)
    return FakeMachine(client)


def with_group() -> FakeMachine:
    client = demo_client()
    client.add_group(*climbers(), roster=CLIMBERS_ROSTER)
    return FakeMachine(client)


def with_pins() -> FakeMachine:
    client = demo_client()
    shown, messages = climbers()
    client.add_group(shown, messages, roster=CLIMBERS_ROSTER)
    client.groups.pinned = [each for each in messages if each.kind is MessageKind.TEXT]
    return FakeMachine(client)


def with_somebody_asking() -> FakeMachine:
    client = demo_client()
    shown, messages = climbers()
    client.add_group(shown, messages, roster=CLIMBERS_ROSTER)
    client.door.ask(shown.id, "@zelda", "we met in Arco")
    return FakeMachine(client)


def with_unsure_members() -> FakeMachine:
    machine = with_group()
    next(iter(machine.clients.values())).groups.unsure = (Username("@carol_w"), Username("@erin_m"))
    return machine


def with_mentions() -> FakeMachine:
    client = demo_client()
    client.add_group(*climbers(), roster=CLIMBERS_ROSTER, unread=5)
    return FakeMachine(client)


def with_invitation() -> FakeMachine:
    client = demo_client()
    client.add_group(group("", state=GroupState.INVITED, invited_by=Username("@bobby")), [])
    return FakeMachine(client)


def with_broken_search() -> FakeMachine:
    client = demo_client()
    client.search_error = StorageFault("the disk cannot be read")
    return FakeMachine(client)


def without_chats() -> FakeMachine:
    return FakeMachine(FakeClient())


def two_accounts() -> FakeMachine:
    return FakeMachine(demo_client(), FakeClient(Username("@work_alice")))


def in_use() -> FakeMachine:
    machine = with_account()
    machine.open_error = InUse("@alice is open in another window; close it there, then try again here")
    return machine


def with_passphrase() -> FakeMachine:
    machine = with_account()
    machine.passphrase = "correct horse"
    return machine


def registering() -> FakeMachine:
    machine = FakeMachine()
    machine.steps = [Progress(Step.CHECK_NAME), Progress(Step.PROVE_OWNER, 0.42, 12)]
    machine.hold_at = Step.PROVE_OWNER
    return machine


async def chat(driver: Driver) -> None:
    await driver.sees("see you there")
    await driver.until(driver.messages_in_memory)
    await driver.press("right")  # somebody is there, so it is read
    await driver.until(lambda: [each.unread for each in driver.contacts.ordered if each.peer == "@bobby"] == [0])


async def every_kind_of_message(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+down", "ctrl+down")
    await driver.sees("I will bring it anyway", "Not sent")
    await driver.press("up", "up")
    await driver.sees("r retry")


async def alarm(driver: Driver) -> None:
    await chat(driver)
    await driver.press(*["ctrl+down"] * 4)
    await driver.sees("F8 I have seen this")


async def request(driver: Driver) -> None:
    await chat(driver)
    await driver.press(*["ctrl+down"] * 8)
    await driver.sees("Hello! Bobby gave me your name", "F5 accept")
    await driver.until(lambda: driver.contacts.next_unread() is None)


async def first_chat(driver: Driver) -> None:
    await driver.sees("No chats yet")


async def new_chat(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+n")
    await driver.write("nobody_here")
    await driver.press("enter")
    await driver.sees("There is no user")


async def switcher(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+k")
    await driver.write("ar")
    await driver.sees_not("  @bobby")


async def show_help(driver: Driver) -> None:
    await chat(driver)
    await driver.press("f1")
    await driver.sees("What you can do")


async def quit_with_queued(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+q")
    await driver.sees("not been sent yet")


async def failure(driver: Driver) -> None:
    await driver.sees("Try again")


async def passphrase(driver: Driver) -> None:
    await driver.sees("Unlock @alice")
    await driver.write("wrong")
    await driver.press("enter")
    await driver.sees("That is not it")


async def accounts(driver: Driver) -> None:
    await driver.sees("Open an account")


async def welcome(driver: Driver) -> None:
    await driver.sees("Join a network")


async def name_checked(driver: Driver) -> None:
    await driver.sees("Join a network")
    await driver.press("tab", "enter")
    await driver.write("bobby")
    await driver.sees("is taken")


async def progress(driver: Driver) -> None:
    await driver.sees("Join a network")
    await driver.press("tab", "enter")
    await driver.write("alice")
    await driver.sees("is free")
    await driver.press("enter")
    await driver.sees("about 12 s left")


async def group_chat(driver: Driver) -> None:
    await driver.sees("GROUPS", "Climbers")
    await driver.press(*["ctrl+down"] * 8)
    await driver.sees("I can. Are we still four", "is not in this group")


async def mentions(driver: Driver) -> None:
    await chat(driver)
    await driver.sees("@1")


async def mention_completed(driver: Driver) -> None:
    await group_chat(driver)
    await driver.press("escape", "enter")
    await driver.until(lambda: driver.composer.has_focus)
    await driver.write("Ask @")
    await driver.sees("▌ @bobby", "  @erin_m", "not in this group", "✎ Ask @")


async def answering(driver: Driver) -> None:
    await chat(driver)
    await driver.press("up", "r")
    await driver.sees("↩ to bobby", "Esc gives up")


async def reacting(driver: Driver) -> None:
    await chat(driver)
    await driver.press("up", "a")
    await driver.sees("React to bobby's message")


async def reacting_by_name(driver: Driver) -> None:
    await reacting(driver)
    await driver.write("rock")
    await driver.sees(":rocket:")


async def message_details(driver: Driver) -> None:
    await chat(driver)
    await driver.press("up", "up", "i")
    await driver.sees("About this message")


async def forwarding(driver: Driver) -> None:
    await chat(driver)
    await driver.press("up", "f")
    await driver.sees("Forward this message")


async def group_members(driver: Driver) -> None:
    await group_chat(driver)
    await driver.press("f9")
    await driver.sees("Climbers: 4 members", "@mallory  banned")


async def button_let_go(driver: Driver) -> None:
    """Waits until a button that was pressed looks as it did before."""
    await driver.until(lambda: not driver.app.screen.query(".-active"))


async def group_settings(driver: Driver) -> None:
    await group_members(driver)
    await driver.press("s")
    await driver.sees("Only admins write")
    await driver.press(*["tab"] * 3, "enter")
    await driver.sees("may not know such rules")
    await button_let_go(driver)


async def group_link(driver: Driver) -> None:
    await group_members(driver)
    await driver.press("l")
    await driver.sees("Make a link")
    await driver.press("enter")
    await driver.sees("xirtam:group?", "1 link of yours")
    await button_let_go(driver)


async def somebody_asking(driver: Driver) -> None:
    await driver.sees("GROUPS", "Climbers")
    await driver.press(*["ctrl+down"] * 8)
    await driver.sees("F9 shows who", "I can. Are we still four")
    await driver.press("f9")
    await driver.sees("@zelda  asks to be let in", "Let in y")


async def leaving(driver: Driver) -> None:
    await group_chat(driver)
    await driver.press("f7")
    await driver.sees("Leave Climbers?")


async def group_pins(driver: Driver) -> None:
    await group_members(driver)
    await driver.sees("Pinned", "bobby: Who brings the long rope", "and 1 more")


async def invitation(driver: Driver) -> None:
    await driver.sees("REQUESTS (1)")
    await driver.press(*["ctrl+down"] * 8)
    await driver.sees("invites you into this group", "F5 accept · F7 decline")


async def new_group(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+g")
    await driver.sees("Make a group")


async def search(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+r")
    await driver.write("half")
    await driver.sees(" found", "The second half is much better")


async def search_finds_nothing(driver: Driver) -> None:
    await chat(driver)
    await driver.press("alt+r")
    await driver.write("zebra")
    await driver.sees("Nothing in this chat has that in it")


async def search_fails(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+r")
    await driver.write("zebra")
    await driver.sees("The disk cannot be read")


async def commands(driver: Driver) -> None:
    await chat(driver)
    await driver.write("/s")
    await driver.sees("/search words", "✎ /s")


async def emoji(driver: Driver) -> None:
    await chat(driver)
    await driver.write("On our way :rock")
    await driver.sees(":rocket:", "✎ On our way")


def with_changed_identity() -> FakeMachine:
    client = demo_client()
    client.change_chat("@bobby", alarm="@bobby has new identity keys. It may be a new account, or somebody else.")
    return FakeMachine(client)


def with_devices() -> FakeMachine:
    client = demo_client()
    client.devices.known += [
        device(2, "phone", expires_s=NOW_S + 300 * 86_400),
        device(3, "tablet", key_created_s=None, expires_s=NOW_S + 5 * 86_400),
        device(4, "old laptop", is_revoked=True),
    ]
    return FakeMachine(client)


def with_unreachable_devices() -> FakeMachine:
    client = demo_client()
    client.devices.error = Unreachable("the server ~harbor does not answer; your devices are as they were")
    return FakeMachine(client)


def with_lying_directory() -> FakeMachine:
    client = demo_client()
    summary = "two headers at height 409 that cannot both be in one log"
    client.trust.proofs = [Evidence(found_s=NOW_S - 3600, source="~harbor", summary=summary, proof="{}")]
    client.trust.findings[0] = Finding(
        what="directory",
        is_fine=False,
        words="it has shown two logs",
        advice="Compare safety codes in person before you trust new names.",
    )
    client.set_status(alarm="The directory has shown two logs: it is not used any more.")
    return FakeMachine(client)


def opening(key: str, *words: str) -> Act:
    """Presses a key in the first chat, and waits for words."""

    async def act(driver: Driver) -> None:
        await chat(driver)
        await driver.press(key)
        await driver.sees(*words)

    return act


async def pairing(driver: Driver) -> None:
    await opening("alt+d", "old laptop")(driver)
    await driver.press("a")
    await driver.sees("Add a device")
    driver.app.post_message(Paste(CODE))
    await driver.sees("Same: add it")


async def revoking(driver: Driver) -> None:
    await opening("alt+d", "old laptop")(driver)
    await driver.press("down", "x")
    await driver.sees("Revoke phone?", "What would be done")


async def revoked(driver: Driver) -> None:
    await revoking(driver)
    await driver.agree()
    await driver.sees("What nobody can do")


async def not_revocable(driver: Driver) -> None:
    await opening("alt+d", "old laptop")(driver)
    await driver.press("x")
    await driver.sees("You are on this device, which is the first")


def with_owners() -> FakeMachine:
    client = demo_client()
    client.ownership.owners += [
        owner(2, OwnerKind.DEVICE, device=f"{2:064x}", label="phone"),
        recovery_owner(KEY),
        owner(4, OwnerKind.UNKNOWN, since_s=None),
    ]
    return FakeMachine(client)


def without_power() -> FakeMachine:
    client = demo_client()
    client.ownership.is_owner = False
    client.ownership.owners = [owner(2, OwnerKind.DEVICE, device=f"{2:064x}", label="desk"), recovery_owner(KEY)]
    return FakeMachine(client)


def with_change_being_made() -> FakeMachine:
    machine = with_owners()
    ownership = next(iter(machine.clients.values())).ownership
    ownership.waiting.append(("add", owner(5, OwnerKind.DEVICE, label="tablet")))
    ownership.prove(0.42, 12)
    ownership.trouble = "no connection to the directory"
    return machine


async def unknown_owner(driver: Driver) -> None:
    await opening("alt+o", "UNKNOWN", "Add device")(driver)
    await driver.press("end")
    await driver.sees("nobody: remove it")


async def removing_owner(driver: Driver) -> None:
    await unknown_owner(driver)
    await driver.press("x")
    await driver.sees("Take the power of this unknown key away?")


async def claiming(driver: Driver) -> None:
    await opening("alt+o", "Claim with recovery key")(driver)
    await driver.press("c")
    await driver.sees("Make this device an owner")
    await driver.write(KEY.text()[:20])
    await driver.sees("of 8")


async def writing_key_down(driver: Driver) -> None:
    await opening("alt+k", "There is no recovery key")(driver)
    await driver.press("m")
    await driver.sees("Write this recovery key down")


async def typing_key_back(driver: Driver) -> None:
    await writing_key_down(driver)
    await driver.press("enter")
    await driver.sees("Type it back")
    await driver.write(KEY.text()[:-1] + "2")
    await driver.sees("has a mistake in it")


def with_key_being_logged() -> FakeMachine:
    client = demo_client()
    client.ownership.waiting.append(("add", recovery_owner(KEY)))
    client.ownership.wait()
    return FakeMachine(client)


async def key_as_picture(driver: Driver) -> None:
    await writing_key_down(driver)
    await driver.press("q")
    await driver.sees("▀▀")


async def backing_up(driver: Driver) -> None:
    await opening("alt+x", "Back up your account")(driver)
    await driver.press("ctrl+u")
    await driver.write("/safe/alice.backup")
    await driver.press("enter")
    await driver.write("correct horse")
    await driver.press("enter", "enter")
    await driver.sees("are not the same")


async def backed_up(driver: Driver) -> None:
    await backing_up(driver)
    await driver.write("correct horse")
    await driver.press("enter")
    await driver.sees("You alone can read")
    await button_let_go(driver)


def recovering() -> FakeMachine:
    machine = FakeMachine()
    machine.recovery_steps = [
        RecoveryProgress(RecoveryStep.LOOK_UP),
        RecoveryProgress(RecoveryStep.PROVE_OWNER, 0.42, 12),
    ]
    machine.recovery_holds_at = RecoveryStep.PROVE_OWNER
    return machine


async def recover(driver: Driver) -> None:
    await driver.sees("Join a network")
    await driver.press(*["tab"] * 6, "enter")
    await driver.sees("Recover an account whose devices are all lost")
    await button_let_go(driver)
    driver.app.post_message(Paste(str(LINK)))
    await driver.press("enter")
    await driver.write("alice")
    await driver.press("enter")
    await driver.write(KEY.text())
    await driver.sees("No mistake in it")


async def recover_with_it(driver: Driver) -> None:
    await recover(driver)
    await driver.press("enter")
    await driver.sees_not("The network's join link")


async def recover_progress(driver: Driver) -> None:
    await recover_with_it(driver)
    await driver.sees("about 12 s left")


async def recovered(driver: Driver) -> None:
    await recover_with_it(driver)
    await driver.sees("What is lost")


def refusing_recovery() -> FakeMachine:
    machine = FakeMachine()
    machine.recovery_error = Refused("this is not a recovery key of @alice, or it was removed: nothing was changed")
    return machine


async def recovery_refused(driver: Driver) -> None:
    await recover(driver)
    await driver.press("enter")
    await driver.sees("not a recovery key of @alice")


async def restoring(driver: Driver) -> None:
    await driver.sees("Join a network")
    await driver.press(*["tab"] * 7, "enter")
    await driver.sees("It is the same device again")
    await button_let_go(driver)
    await driver.write("/safe/alice")
    await driver.press("enter")
    await driver.write("correct horse")
    await driver.press("enter")
    await driver.sees("There is no file")


async def code_picture(driver: Driver) -> None:
    await opening("f10", "48213")(driver)
    await driver.press("q")
    await driver.sees("▀▀")


async def being_paired(driver: Driver) -> None:
    await driver.sees("Join a network")
    await driver.press("tab", "enter")
    await driver.write("bobby")
    await driver.sees("is taken")
    await driver.press("tab", "tab", "enter")
    await driver.sees("Both screens must show")


def moving_home(step: HomeStep, **changes: object) -> Callable[[], FakeMachine]:
    """An account on its way to another server, or there."""

    def machine() -> FakeMachine:
        client = demo_client()
        client.home.come(step, **changes)
        return FakeMachine(client)

    return machine


def home_offered(**changes: object) -> Callable[[], FakeMachine]:
    def machine() -> FakeMachine:
        client = demo_client()
        client.home.offered = home_offer(**changes)
        return FakeMachine(client)

    return machine


async def home_choice(driver: Driver) -> None:
    await opening("alt+h", "Its name such as ~island")(driver)
    await driver.write("~island")
    await driver.press("enter")
    await driver.sees("Choose another")


HOME_GROUPS = (hosted("Climbers", is_admin=True), hosted("Book club"))

SCREENS: dict[str, tuple[Callable[[], FakeMachine], Act]] = {
    "chat": (with_account, chat),
    "messages": (with_account, every_kind_of_message),
    "alarm": (with_account, alarm),
    "request": (with_request, request),
    "group": (with_group, group_chat),
    "mentions": (with_mentions, mentions),
    "mention_completed": (with_group, mention_completed),
    "answering": (with_account, answering),
    "reacting": (with_account, reacting),
    "reacting_by_name": (with_account, reacting_by_name),
    "message_details": (with_account, message_details),
    "forwarding": (with_account, forwarding),
    "group_members": (with_group, group_members),
    "group_pins": (with_pins, group_pins),
    "group_asking": (with_somebody_asking, somebody_asking),
    "group_settings": (with_unsure_members, group_settings),
    "group_link": (with_group, group_link),
    "leaving": (with_group, leaving),
    "invitation": (with_invitation, invitation),
    "new_group": (with_account, new_group),
    "home": (with_account, opening("alt+h", "Its name such as ~island")),
    "home_offer": (with_account, home_choice),
    "home_offer_old_gone": (home_offered(is_old_there=False, can_prepare=False, groups=HOME_GROUPS), home_choice),
    "home_obstacle": (
        home_offered(registration="closed", obstacle="~island takes no new users; choose another server"),
        home_choice,
    ),
    "home_proof": (
        moving_home(HomeStep.PROVE, share=0.42, seconds_left=12.0),
        opening("alt+h", "Moving @alice", "12 s"),
    ),
    "home_trouble": (
        moving_home(HomeStep.SETTLE, trouble="no connection to the server"),
        opening("alt+h", "No connection to the server"),
    ),
    "home_done": (moving_home(HomeStep.DONE, files_left=3, is_old_read=True), opening("alt+h", "3 ")),
    "home_failed": (
        moving_home(HomeStep.FAILED, trouble="~island does not take @alice; nothing was changed"),
        opening("alt+h", "does not take"),
    ),
    "person": (with_account, opening("f10", "48213")),
    "code_picture": (with_account, code_picture),
    "identity": (with_changed_identity, opening("f8", "10582")),
    "devices_one": (with_account, opening("alt+d", "the first")),
    "devices": (with_devices, opening("alt+d", "old laptop")),
    "devices_error": (with_unreachable_devices, opening("alt+d", "does not answer")),
    "pairing": (with_devices, pairing),
    "revoking": (with_devices, revoking),
    "revoked": (with_devices, revoked),
    "not_revocable": (with_devices, not_revocable),
    "owners": (with_owners, unknown_owner),
    "owners_change": (with_change_being_made, opening("alt+o", "UNKNOWN", "42%")),
    "owners_powerless": (without_power, opening("alt+o", "Claim with recovery key")),
    "removing_owner": (with_owners, removing_owner),
    "claiming": (without_power, claiming),
    "recovery_key_none": (with_account, opening("alt+k", "There is no recovery key")),
    "recovery_key": (with_owners, opening("alt+k", "A recovery key counts")),
    "recovery_key_written": (with_account, writing_key_down),
    "recovery_key_picture": (with_account, key_as_picture),
    "recovery_key_typed": (with_account, typing_key_back),
    "recovery_key_logged": (with_key_being_logged, opening("alt+k", "Waiting for the directory")),
    "backing_up": (with_account, backing_up),
    "backed_up": (with_account, backed_up),
    "recover": (FakeMachine, recover),
    "recover_progress": (recovering, recover_progress),
    "recover_refused": (refusing_recovery, recovery_refused),
    "recovered": (FakeMachine, recovered),
    "restoring": (FakeMachine, restoring),
    "network": (with_account, opening("alt+n", "right to the second")),
    "network_alarm": (with_lying_directory, opening("alt+n", "it has shown two logs")),
    "profile": (with_account, opening("alt+i", "at the home server")),
    "being_paired": (FakeMachine, being_paired),
    "first_chat": (without_chats, first_chat),
    "new_chat": (with_account, new_chat),
    "switcher": (with_account, switcher),
    "search": (with_account, search),
    "search_nothing": (with_account, search_finds_nothing),
    "search_failed": (with_broken_search, search_fails),
    "commands": (with_account, commands),
    "emoji": (with_account, emoji),
    "help": (with_account, show_help),
    "quit": (with_account, quit_with_queued),
    "failure": (in_use, failure),
    "settings": (with_account, show_settings),
    "settings_refused": (with_unwilling_preferences, settings_refused),
    "arranged": (with_arranged, arranged),
    "passphrase": (with_passphrase, passphrase),
    "accounts": (two_accounts, accounts),
    "welcome": (FakeMachine, welcome),
    "name_checked": (FakeMachine, name_checked),
    "progress": (registering, progress),
}


@pytest.mark.parametrize("name", SCREENS)
async def test_the_screen_looks_as_it_did(
    name: str, snapshot: SnapshotAssertion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, act = SCREENS[name]
    monkeypatch.setattr(new_key, "new_recovery_key", lambda: RecoveryKey(0x1F2E3D4C5B6A79880F1E2D3C4B5A69788796A5B4))
    async with machine_app(machine(), tmp_path, size=(80, 24)) as driver:
        await act(driver)
        for size in ((80, 24), (140, 40)):
            if driver.app.size != size:
                await driver.pilot.resize_terminal(*size)
            for theme in ("xirtam-dark", "xirtam-light"):
                driver.app.theme = theme
                assert await picture(driver) == snapshot(name=f"{size[0]}x{size[1]}-{theme}", extension_class=Picture)


@pytest.mark.parametrize("pane", ["list", "chat"])
async def test_a_narrow_terminal_looks_as_it_did(pane: str, snapshot: SnapshotAssertion, tmp_path: Path) -> None:
    async with machine_app(with_account(), tmp_path, size=(60, 24)) as driver:
        await driver.sees("@bobby", "@erin_m")
        if pane == "chat":
            await driver.press("enter")
            await chat(driver)
        assert await picture(driver) == snapshot(extension_class=Picture)


async def picture(driver: Driver) -> str:
    """The screen once it has come to rest, without what changes from run to run."""
    for screen in driver.app.screen_stack:
        for field in (*screen.query(Input), *screen.query(TextArea)):
            field.cursor_blink = False
            field.notify_style_update()  # of a cursor that was between two blinks, the line is kept without it
    for _ in range(2):  # with its place, what has come into view asks for what it is to show
        for screen in driver.app.screen_stack:
            screen.refresh(layout=True)  # else one below a dialog is as the dialog found it, laid out to the end or not
        await driver.pilot.pause()
        for chats in (screen for screen in driver.app.screen_stack if isinstance(screen, ChatScreen)):
            await driver.until(lambda chats=chats: chats.about.is_settled, "details there")
    before = ""
    while (now := _run_id.sub("terminal-", driver.app.export_screenshot())) != before:
        before = now
        await driver.pilot.pause()
    return now


class Picture(SVGImageExtension):
    """A picture, one file each."""
