"""Who owns the account's name, seen and changed by keyboard alone, and the key on paper: made, checked, replaced, removed."""

import gc
from pathlib import Path

from tests.tui.demo import demo_client
from tests.tui.fake_client import FakeClient
from tests.tui.fake_devices import device
from tests.tui.fake_owners import KEY, OTHER_KEY, owner, recovery_owner
from tests.tui.piloting import Driver, account_app
from xirtam_core.devices import OwnerKind
from xirtam_core.errors import Unreachable
from xirtam_core.recovery_key import RecoveryKey


async def _open(driver: Driver, *words: str) -> None:
    await driver.press("alt+o")
    await driver.sees("Who owns @alice", *words)


def _powerless() -> FakeClient:
    """An account on a device that owns the name by no key."""
    client = demo_client()
    client.ownership.is_owner = False
    client.ownership.owners = [owner(2, OwnerKind.DEVICE, device=f"{2:064x}", label="desk"), recovery_owner(KEY)]
    return client


async def test_each_key_is_shown_with_whose_it_is_and_how_that_is_known(tmp_path: Path) -> None:
    client = demo_client()
    client.ownership.owners += [
        owner(2, OwnerKind.DEVICE, device=f"{2:064x}", label="phone"),
        recovery_owner(KEY, said_by="old laptop"),
        owner(4, OwnerKind.UNKNOWN, since_s=None),
    ]
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await _open(driver, "this device", "phone", "a recovery key, on paper", "⚠ UNKNOWN", "Close")
        await driver.sees("0001 3f2a 90ab 12cd 34ef 5678 9abc def0", "15 October 2026", "your certificates")
        await driver.press("down", "down")
        await driver.sees("the word of old laptop, and no proof")
        await driver.press("down")
        await driver.sees("nobody: remove it, unless you know whose it is", "not known")


async def test_a_device_becomes_an_owner_and_the_directorys_log_is_followed(tmp_path: Path) -> None:
    client = demo_client()
    client.devices.known += [device(2, "tablet"), device(3, "lost phone", is_revoked=True)]
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "this device")
        await driver.press("a")
        await driver.sees("Which device is to own your name too?", "tablet")
        await driver.sees_not("lost phone")
        await driver.press("enter")
        await driver.sees("Waiting for its turn…", "You may close this: it goes on whenever xirtam runs.")
        client.ownership.prove(0.42, 12)
        await driver.sees("Proving work for the new owner…", "42%", "about 12 s left")
        client.ownership.wait()
        await driver.sees("Waiting for the directory to log the new owner…")
        await driver.press("escape")
        await driver.sees_not("Who owns @alice")
        await _open(driver, "Waiting for the directory to log the new owner…")
        client.ownership.land()
        await driver.sees("The directory has logged it.", "tablet")
        await driver.sees_not("You may close this")
        await driver.press("a")
        await driver.sees("You have no other device that could be an owner.")


async def test_trouble_with_a_change_is_shown_while_it_is_tried_and_when_it_comes_to_nothing(tmp_path: Path) -> None:
    client = demo_client()
    client.devices.known.append(device(2, "tablet"))
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "this device")
        await driver.press("a")
        await driver.sees("Which device")
        await driver.press("enter")
        await driver.sees("Waiting for its turn…")
        client.ownership.trouble = "no connection to the directory"
        await driver.sees("⚠ No connection to the directory. It is tried again.")
        client.ownership.fail("this device does not own the account's name (any more)")
        await driver.sees("It came to nothing: This device does not own")


async def test_a_key_is_removed_only_where_that_is_said_twice(tmp_path: Path) -> None:
    client = demo_client()
    client.ownership.owners.append(owner(4, OwnerKind.UNKNOWN))
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "UNKNOWN")
        await driver.press("x")
        await driver.sees("This device's own key cannot be removed here")
        await driver.press("down", "x")
        await driver.sees("Take the power of this unknown key away?", "0004 3f2a")
        await driver.press("enter")
        await driver.sees_not("Take the power")
        assert client.ownership.asked == []
        await driver.press("x")
        await driver.sees("Take the power")
        await driver.agree()
        await driver.sees("Waiting for its turn…")
        client.ownership.land()
        await driver.sees("The directory has logged it.")
        await driver.sees_not("UNKNOWN")


async def test_this_device_comes_to_own_the_name_by_a_new_key(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _open(driver, "0001 3f2a")
        await driver.press("k")
        await driver.sees("Have this device own your name by a new key?")
        await driver.agree()
        await driver.sees("Waiting for its turn…")
        await driver.press("k")
        await driver.sees("A change is still being made: wait for it.")
        client.ownership.land()
        await driver.sees("The directory has logged it.", "f2e5 3f2a")
        await driver.sees_not("0001 3f2a")


async def test_a_device_that_owns_nothing_says_so_at_once_and_becomes_an_owner_with_the_recovery_key(
    tmp_path: Path,
) -> None:
    client = _powerless()
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await _open(driver, "This device does not own @alice", "Do it on desk, or make", "Claim with recovery key")
        await driver.press("x")
        assert client.ownership.asked == []
        await driver.press("c")
        await driver.sees("Make this device an owner")
        await driver.write("r1abcdefgh")
        await driver.sees("R1ABC DEFGH", "10 of 40, group 3 of 8")
        await driver.press("enter")
        await driver.sees("✗ A recovery key has 40 letters and digits, and this has 10.")
        await driver.press("ctrl+u")
        await driver.write(OTHER_KEY.text().replace(" ", ""))
        await driver.sees("✓ No mistake in it", OTHER_KEY.text())
        await driver.press("enter")
        await driver.sees("nothing was changed.")
        await driver.press("c")
        await driver.sees("Make this device an owner")
        await driver.write(KEY.text().lower())
        await driver.press("enter")
        await driver.sees("Waiting for its turn…")
        client.ownership.land()
        await driver.sees("The directory has logged it.", "this device", "Add device a")


async def test_the_owners_cannot_be_seen_without_the_directory_and_are_looked_for_again(tmp_path: Path) -> None:
    client = demo_client()
    client.ownership.error = Unreachable("no connection to the directory")
    async with account_app(client, tmp_path) as driver:
        await driver.press("alt+o")
        await driver.sees("Who owns your name", "No connection to the directory.")
        client.ownership.error = None
        await driver.press("a")
        await driver.sees("Who owns @alice", "this device")


# The key on paper


async def _open_key(driver: Driver, *words: str) -> None:
    await driver.press("alt+k")
    await driver.sees("Your recovery key", *words)


def _shown(driver: Driver) -> str:
    """The key that is on the screen, read in its groups."""
    groups: dict[int, str] = {}
    for line in driver.lines():
        words = [each for each in line.replace("▌", " ").replace("▏", " ").split() if len(each) == 1]
        for at, word in enumerate(words):
            symbols = words[at + 1 : at + 6]
            if word in "12345678" and len(symbols) == 5 and (at == 0 or at == 6):
                groups[int(word)] = "".join(symbols)
    return " ".join(groups[number] for number in range(1, 9))


async def _write_down(driver: Driver) -> str:
    await driver.press("m")
    await driver.sees("Write this recovery key down")
    key = _shown(driver)
    await driver.press("enter")
    await driver.sees("Type it back")
    return key


async def test_a_recovery_key_is_written_down_typed_back_and_counts_once_it_is_logged(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await _open_key(driver, "There is no recovery key.")
        key = await _write_down(driver)
        await driver.sees_not(key.split()[3], "  ".join(key.split()[3]))
        wrong = key[:-1] + ("2" if key[-1] != "2" else "3")
        await driver.write(wrong)
        await driver.sees("✗ This recovery key has a mistake in it, perhaps in group 8")
        await driver.press("enter")
        assert client.ownership.asked == []
        await driver.press("backspace")
        await driver.write(key[-1])
        await driver.sees("✓ No mistake in it")
        await driver.press("enter")
        await driver.sees("Waiting for its turn…", "it goes on whenever xirtam runs.")
        assert client.ownership.waiting[0][1].key == RecoveryKey.parse(key).public_text(), "the public half alone"
        client.ownership.land()
        await driver.sees(
            "The new recovery key counts now. Keep the paper", "✓ A recovery key counts, made on 24 November 2026"
        )
        gc.collect()
        left = [each for each in gc.get_objects() if isinstance(each, RecoveryKey)]
        assert [each for each in left if each not in (KEY, OTHER_KEY)] == [], "it is nowhere any more"


async def test_a_key_that_is_not_typed_back_counts_for_nothing(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _open_key(driver, "There is no recovery key.")
        await _write_down(driver)
        await driver.write(OTHER_KEY.text())
        await driver.press("enter")
        await driver.sees("✗ This is another recovery key than the one that was shown.")
        await driver.press("ctrl+u", "enter")
        await driver.sees("Nothing was done.", "throw the paper away.")
        await driver.press("m")
        await driver.sees("Write this recovery key down")
        await driver.press("escape")
        await driver.sees("Nothing was done.")
        assert client.ownership.asked == []


async def test_what_is_typed_into_the_middle_of_a_key_stays_together(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path) as driver:
        await _open_key(driver, "There is no recovery key.")
        await _write_down(driver)
        await driver.write("abcdefghij")
        await driver.sees("ABCDE FGHIJ")
        await driver.press("home", "right", "right")
        await driver.write("123456")
        await driver.sees("AB123 456CD EFGHI J")
        await driver.press("backspace")
        await driver.sees("AB123 45CDE FGHIJ")
        await driver.press("end", "ctrl+u")
        await driver.sees("R1···")


async def test_a_key_can_be_looked_at_again_and_as_a_picture_until_it_was_typed_back(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path, size=(80, 24)) as driver:
        await _open_key(driver, "There is no recovery key.")
        key = await _write_down(driver)
        await driver.press("tab", "tab", "enter")
        await driver.sees("Write this recovery key down")
        assert _shown(driver) == key
        await driver.press("q")
        await driver.sees("▀▀", "print it, keep no photo")
        await driver.press("escape")
        await driver.sees("I have written it down")


async def test_a_paper_is_not_lost_because_the_directory_was_away(tmp_path: Path) -> None:
    client = demo_client()
    client.ownership.change_error = Unreachable("no connection to the directory")
    async with account_app(client, tmp_path) as driver:
        await _open_key(driver, "There is no recovery key.")
        await driver.write("")
        key = await _write_down(driver)
        await driver.write(key)
        await driver.press("enter")
        await driver.sees("That did not work", "No connection to the directory.", "does not count yet.")
        client.ownership.change_error = None
        await driver.press("enter")
        await driver.sees("Waiting for its turn…")
        assert client.ownership.waiting[0][1].key == RecoveryKey.parse(key).public_text()


async def test_a_new_key_replaces_the_one_before_where_that_is_wanted(tmp_path: Path) -> None:
    client = demo_client()
    client.ownership.owners.append(recovery_owner(KEY))
    async with account_app(client, tmp_path) as driver:
        await _open_key(driver, "A recovery key counts, made on 15 October 2026", "Make a new one")
        key = await _write_down(driver)
        await driver.write(key)
        await driver.press("enter")
        await driver.sees("Remove the recovery key from before?")
        await driver.agree()
        await driver.sees("Waiting for its turn…")
        assert [verb for verb, _ in client.ownership.waiting] == ["add", "remove"], "the new one first"
        client.ownership.land()
        await driver.sees("counts now", "made on 24 November 2026")
        await driver.sees_not("15 October")


async def test_a_key_is_checked_without_being_sent_anywhere(tmp_path: Path) -> None:
    client = demo_client()
    client.ownership.owners.append(recovery_owner(KEY))
    async with account_app(client, tmp_path) as driver:
        await _open_key(driver, "A recovery key counts")
        for key, says in (
            (KEY, "✓ This is a recovery key of @alice, and it counts."),
            (OTHER_KEY, "Is it the newest one?"),
        ):
            await driver.press("c")
            await driver.sees("Check a recovery key")
            await driver.write(key.text())
            await driver.press("enter")
            await driver.sees(says)
        assert client.ownership.asked == []


async def test_removing_the_key_warns_of_what_that_means(tmp_path: Path) -> None:
    client = demo_client()
    client.ownership.owners.append(recovery_owner(KEY))
    async with account_app(client, tmp_path) as driver:
        await _open_key(driver, "A recovery key counts")
        await driver.press("x")
        await driver.sees("Remove the recovery key?", "Without one, an account whose")
        await driver.press("enter")
        await driver.sees_not("Remove the recovery key?")
        assert client.ownership.asked == []
        await driver.press("x")
        await driver.sees("Remove the recovery key?")
        await driver.agree()
        await driver.sees("Waiting for its turn…")
        client.ownership.land()
        await driver.sees("It is removed.", "There is no recovery key.")


async def test_a_device_that_owns_nothing_makes_no_recovery_key(tmp_path: Path) -> None:
    async with account_app(_powerless(), tmp_path) as driver:
        await _open_key(driver, "A recovery key counts")
        await driver.press("m")
        await driver.sees("This device does not own @alice")
        await driver.sees_not("Write this recovery key down")


async def test_the_sheets_are_found_from_the_devices_and_by_command(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.press("alt+d")
        await driver.sees("Your devices", "desk")
        await driver.press("o")
        await driver.sees("Who owns @alice")
        await driver.press("r")
        await driver.sees("Your recovery key", "There is no recovery key.")
        await driver.press("escape", "escape", "b")
        await driver.sees("Back up your account")
        await driver.press("escape", "escape")
        await driver.sees_not("Your devices")
        await driver.write("/owners")
        await driver.press("enter")
        await driver.sees("Who owns @alice")
