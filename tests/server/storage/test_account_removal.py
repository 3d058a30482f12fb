"""Accounts that were prepared and never confirmed: what goes with them, in what steps, and who is spared."""

import time
from pathlib import Path

from tests.builders import Device, account
from tests.server_builders import blob
from tests.store_builders import Place, Seen
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.crypto.hashing import ANONYMOUS_HASH, token_hash
from xirtam_core.names import Username
from xirtam_core.protocol.mailbox import direct_mailbox, group_messages_mailbox
from xirtam_server.storage.interface import KEEP, HomeStore, MailboxState

ALICE = Username("@alice")
BOX = direct_mailbox(ALICE)
GROUP = group_messages_mailbox(Hash(b"g" * 32))
FRAGMENT, SHARED = Hash(b"f" * 32), Hash(b"s" * 32)
SOON = time.time_ns() + 10**12
LATER = SOON + 1


async def _prepare(store: HomeStore, until: int = SOON) -> tuple[Device, AuthToken]:
    alice = account("alice")
    token = await store.add_device(alice.username, alice.chain, BOX, until)
    assert token is not None
    return alice, token


async def _state(store: HomeStore, mailbox: Hash) -> MailboxState:
    state = await store.find_mailbox(mailbox)
    assert state is not None
    return state


async def _remove(store: HomeStore, most: int) -> int:
    """Removes Alice; in how many steps."""
    steps = 1
    while not await store.remove_lapsed(ALICE, LATER, most):
        steps += 1
        assert steps < 1000
    return steps


async def test_a_lapsed_account_goes_with_all_that_belongs_to_it_a_few_rows_at_a_time(place: Place) -> None:
    seen = Seen()
    async with place.open(seen) as store:
        alice, token = await _prepare(store)
        bobby = account("bobby")
        await store.add_device(bobby.username, bobby.chain, direct_mailbox(bobby.username))
        assert await store.register_group(alice.username, token_hash(token), [GROUP])
        for mailbox in (BOX, GROUP, direct_mailbox(bobby.username)):
            state = await _state(store, mailbox)
            for _ in range(20):
                await store.append(state, ANONYMOUS_HASH, blob(), 0)
        for fragment, body, user in ((FRAGMENT, "1", ALICE), (SHARED, "2", ALICE), (SHARED, "3", bobby.username)):
            await store.keep_fragment(fragment, body, 100, user, KEEP, 1000)

        assert await store.lapsed_accounts(LATER, 10) == [ALICE]
        assert await _remove(store, 6) >= 7

        assert await store.lapsed_accounts(LATER, 10) == []
        assert await store.find_account(ALICE) is None
        assert await store.find_device(token_hash(token)) is None
        assert await store.find_mailbox(BOX) is None
        assert await store.find_mailbox(GROUP) is None
        assert set(seen.closes) == {BOX, GROUP}
        assert await store.find_fragment(FRAGMENT, 0) is None
        assert await store.find_fragment(SHARED, 0) == "2"
        assert await store.purge_fragments(0, 10) == ["1"]
        assert [await store.fragment_bytes(user) for user in (ALICE, bobby.username)] == [0, 100]
        stats = await store.stats()
        assert (stats.accounts, stats.devices, stats.entries) == (1, 1, 20)


async def test_nobody_uses_an_account_from_the_first_step_of_its_removal_on(place: Place) -> None:
    async with place.open() as store:
        _, token = await _prepare(store)
        state = await _state(store, BOX)
        for _ in range(50):
            await store.append(state, ANONYMOUS_HASH, blob(), 0)
        assert not await store.remove_lapsed(ALICE, LATER, 10)
        assert (await _state(store, BOX)).access == {}
        assert await store.find_device(token_hash(token)) is None


async def test_an_account_that_is_confirmed_or_prepared_anew_is_left_alone(place: Place) -> None:
    async with place.open() as store:
        _, token = await _prepare(store)
        await _prepare(store, LATER + 1)
        assert await store.lapsed_accounts(LATER, 10) == []
        assert await store.remove_lapsed(ALICE, LATER, 10)
        assert await store.find_device(token_hash(token)) is not None

        await store.confirm_account(ALICE)
        await _prepare(store, 1)
        assert await store.lapsed_accounts(KEEP, 10) == []
        assert await store.remove_lapsed(ALICE, KEEP, 10)
        assert await store.find_device(token_hash(token)) is not None


async def test_a_sender_who_found_a_mailbox_before_it_was_removed_writes_into_no_other(tmp_path: Path) -> None:
    async with Place(tmp_path / "home.db").open() as store:
        await _prepare(store)
        stale = await _state(store, BOX)
        await _remove(store, 1000)
        bobby = account("bobby")
        await store.add_device(bobby.username, bobby.chain, direct_mailbox(bobby.username))
        assert (await _state(store, direct_mailbox(bobby.username))).row != stale.row
        await _prepare(store)
        assert (await store.stats()).mailboxes == 3  # the third stands in for the number that must not come again
        await _remove(store, 1000)
        await _prepare(store)
        assert (await store.stats()).mailboxes == 3
