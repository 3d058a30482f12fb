"""A person's details, a changed identity, the account's devices, the network: what one does there, by keyboard alone."""

from pathlib import Path

from textual.events import Paste

from tests.tui.demo import demo_client
from tests.tui.fake_client import FakeMachine
from tests.tui.fake_devices import CODE, FINGERPRINT, device
from tests.tui.piloting import Driver, account_app, machine_app
from tests.tui.screens.test_welcome import paste_link
from xirtam_core.chat import Evidence, Finding
from xirtam_core.errors import Unreachable
from xirtam_core.events import AlarmRaised
from xirtam_core.names import Username
from xirtam_core.people import Standing

BOBBY = Username("@bobby")


async def _open(driver: Driver, key: str, *words: str) -> None:
    await driver.sees("see you there")
    await driver.press(key)
    await driver.sees(*words)


async def test_a_person_is_marked_verified_once_the_code_was_compared_and_that_can_be_taken_back(
    tmp_path: Path,
) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "f10", "48213  90417  55102  37764", "not verified", "last changed 21 days ago")
        await driver.press("v")
        await driver.sees("Are @bobby's digits the same as yours?")
        await driver.press("enter")  # a stray one verifies nobody
        await driver.sees_not("digits the same")
        assert not client.chat(BOBBY).verified
        await driver.press("v")
        await driver.sees("Are @bobby's digits the same as yours?")
        await driver.press("y")
        await driver.sees("✓ verified", "it was the same")
        assert client.chat(BOBBY).verified
        await driver.press("v")
        await driver.sees("They count as not verified")
        assert not client.chat(BOBBY).verified


async def test_a_person_is_muted_and_may_call_again_from_their_details(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "f10", "48213", "Mute ")
        await driver.press("u")
        await driver.sees("· muted", "does not notify you", "Unmute")
        assert client.chat(BOBBY).is_muted
        await driver.pilot.click("#mute")
        await driver.sees("notifies you again")
        await driver.sees_not("· muted")
        assert not client.chat(BOBBY).is_muted


async def test_a_person_is_given_a_name_blocked_accepted_and_deleted(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "f10", "Safety code of you two", "48213")
        await driver.press("n")
        await driver.sees("What do you call @bobby?")
        await driver.write("Bob Martin")
        await driver.press("enter")
        await driver.sees("Bob Martin ·", "Kept.")
        await driver.press("b")
        await driver.sees("Block @bobby?")
        await driver.agree()
        await driver.sees("nothing they write is kept")
        assert client.chat(BOBBY).standing is Standing.BLOCKED
        await driver.press("b")
        await driver.sees("@bobby is a contact.")
        await driver.press("d")
        await driver.sees("Delete the chat with @bobby?")
        await driver.agree()
        await driver.sees_not("Safety code of you two", "Delete the chat")
        assert BOBBY not in client.messages


async def test_a_person_is_shown_also_where_the_directory_does_not_answer(tmp_path: Path) -> None:
    client = demo_client()
    client.people.code_error = Unreachable("the directory does not answer")
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "f10", "at ~harbor", "not to be had just now", "The directory does not answer.")


async def test_the_code_is_shown_as_a_picture_where_there_is_room_for_it(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path, size=(80, 24)) as driver:
        await _open(driver, "f10", "48213")
        await driver.press("q")
        await driver.sees("The safety code of you and @bobby", "▀▀")
        await driver.pilot.resize_terminal(40, 20)
        await driver.sees("too small")


async def test_a_changed_identity_is_compared_and_nothing_is_done_by_a_careless_enter(tmp_path: Path) -> None:
    client = demo_client()
    client.change_chat(BOBBY, alarm="@bobby has new identity keys.")
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "f8", "Is @bobby still the same person?", "Before", "10582  33947", "48213  90417")
        await driver.press("enter")
        await driver.sees_not("still the same person")
        assert client.chat(BOBBY).alarm is not None
        await driver.press("f8")
        await driver.sees("Before")
        await driver.press("shift+tab", "enter")
        await driver.sees_not("still the same person")
        assert client.chat(BOBBY).alarm is None


async def test_a_device_is_added_after_its_fingerprint_was_compared(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "alt+d", "Your devices", "desk  this device · the first", "0001 77aa")
        await driver.press("a")
        await driver.sees("Add a device")
        await driver.write("nonsense")
        await driver.sees("That is no pairing code")
        await driver.press("ctrl+u")
        driver.app.post_message(Paste(CODE))
        await driver.sees(FINGERPRINT, "Same: add it", "Add without history")
        assert client.devices.pairings == []
        await driver.press("enter")
        await driver.write("tablet")
        await driver.press("enter", "enter")
        await driver.sees("tablet  has not joined yet", "tablet is one of your devices")
        assert client.devices.pairings == [("tablet", True)]
        client.devices.known[-1] = device(2, "tablet")
        await driver.sees_not("has not joined yet")
        await driver.press("x")
        await driver.sees("which is the first: none can", "Recover with a")
        assert not any(each.is_revoked for each in client.devices.known)


async def test_a_device_is_named_renewed_and_revoked_with_an_honest_account(tmp_path: Path) -> None:
    client = demo_client()
    client.devices.known.append(device(2, "old phone", expires_s=1))
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "alt+d", "old phone", "⚠ expired")
        await driver.press("down", "n")
        await driver.sees("What do you call this device?")
        await driver.write("!")
        await driver.press("enter")
        await driver.sees("old phone!")
        await driver.press("e")
        await driver.sees("expires in 365 days")
        await driver.press("x")
        await driver.sees("Revoke old phone!?", "What would be done")
        await driver.agree()
        await driver.sees("What was done", "What nobody can do", "✗ What it has read already stays with it.")
        await driver.press("enter")
        await driver.sees("✗ revoked")


async def test_a_key_is_rotated_and_history_shared(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "alt+d", "this device")
        await driver.press("k")
        await driver.sees("A new key of this device is published.")
        await driver.press("h")
        await driver.sees("1204 messages wait for your other devices.")
        assert client.devices.rotations == 1


async def test_the_network_is_checked_and_its_alarm_put_away_with_the_proof_kept(tmp_path: Path) -> None:
    client = demo_client()
    client.trust.proofs = [Evidence(found_s=1_795_520_000, source="~harbor", summary="two logs\x1b[2J", proof="{}")]
    client.trust.findings[0] = Finding(what="directory", is_fine=False, words="two logs", advice="Trust no new names.")
    client.set_status(alarm="the directory told two stories")
    async with account_app(client, tmp_path, size=(100, 40)) as driver:
        await driver.sees("⚠ directory alarm")
        await _open(driver, "f8", "✗ directory    two logs", "Trust no new names.", "two logs␛[2J", "I have seen this")
        await driver.press("p")
        await driver.sees("The proof is copied")
        await driver.press("s")
        await driver.sees("The alarm is put away", "Proof that the directory lied")
        await driver.sees_not("⚠ the directory told")


async def test_what_is_found_of_the_network_stays_in_its_column(tmp_path: Path) -> None:
    client = demo_client()
    words, advice = "no connection to the server, and that " + "again " * 12, "Check the cable. " * 5
    client.trust.findings[0] = Finding(what="home server", is_fine=False, words=words, advice=advice)
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await _open(driver, "alt+n", "✗ home server")
        lines = driver.lines()
        at = next(at for at, line in enumerate(lines) if "✗ home server" in line)
        column = lines[at].index("no connection")
        assert all(line[column - 1] == " " and line[column] != " " for line in lines[at : at + 4])


async def test_ones_own_name_is_shown_to_be_given_away(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path) as driver:
        await _open(driver, "alt+i", "Your account", "@alice", "at the home server ~harbor, connected")
        await driver.press("enter")
        await driver.sees("Copied")
        assert driver.app.clipboard == "@alice"


async def test_this_machine_becomes_a_device_of_an_account_once_its_code_was_taken(tmp_path: Path) -> None:
    machine = FakeMachine()
    async with machine_app(machine, tmp_path, size=(100, 50)) as driver:
        await paste_link(driver)
        await driver.write("bobby")
        await driver.sees("is taken")
        await driver.press("tab", "tab", "enter")
        await driver.sees("On a device of @bobby", "xirtam:pair:B0Bh", FINGERPRINT, "▀▀", "Cancel")
        await driver.press("enter")
        await driver.sees("Cancelled. “Add this device” goes on with the same code")
        assert machine.cancelled
        await driver.press("tab", "enter")
        await driver.sees(FINGERPRINT)
        machine.paired.set()
        await driver.sees("xirtam  @bobby")


async def test_the_notice_of_a_changed_identity_does_not_lie_over_what_is_to_be_compared(tmp_path: Path) -> None:
    client = demo_client()
    client.change_chat(BOBBY, alarm="@bobby has new identity keys.")
    async with account_app(client, tmp_path) as driver:
        client.emit(AlarmRaised("@bobby has new identity keys.", BOBBY))
        await driver.sees("Security alarm")
        await driver.press("f8")
        await driver.sees("Is @bobby still the same person?", "Before", "10582  33947")
        await driver.sees_not("Security alarm")
