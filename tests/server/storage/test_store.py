"""The store: order and durability of entries whatever the clock and the disk do, and batches whose members do not harm each other."""

import asyncio
import time

import msgspec
import pytest

from tests.builders import NOW_S, account
from tests.server_builders import blob
from tests.store_builders import BOX, Place, Seen, device_token, open_box, stamps_in
from xirtam_core.codec.primitives import Hash, Signature
from xirtam_core.crypto.hashing import ANONYMOUS_HASH, token_hash
from xirtam_core.names import Username
from xirtam_core.protocol.mailbox import AclEdit, MailboxAcl, direct_mailbox
from xirtam_core.protocol.profile import UserProfile
from xirtam_server.storage.interface import KEEP, HomeStore, MailboxFull, MailboxState, StoreBusy, StoreStats
from xirtam_server.storage.limits import StoreLimits

ALICE, BOBBY = Username("@alice"), Username("@bobby")
GROUP = (Hash(b"1" * 32), Hash(b"2" * 32))


async def test_what_is_sent_together_is_numbered_in_the_order_sent_and_told_in_that_order(place: Place) -> None:
    seen = Seen()
    async with place.open(seen) as store:
        boxes = [await open_box(store, Hash(bytes([number]) * 32)) for number in range(3)]
        stamps = await asyncio.gather(
            *(store.append(boxes[number % 3], ANONYMOUS_HASH, blob(str(number)), 0) for number in range(300))
        )
        for number, box in enumerate(boxes):
            assert await stamps_in(store, box) == stamps[number::3] == sorted(set(stamps[number::3]))
        assert sorted(stamp for _, stamp in seen.entries) == sorted(stamps)
        for box in boxes:
            told = [stamp for name, stamp in seen.entries if name == box.name]
            assert told == sorted(told)


async def test_cursors_go_on_growing_when_the_clock_is_set_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async with place.open() as store:
        box = await open_box(store)
        first = await store.append(box, ANONYMOUS_HASH, blob(), 0)
        monkeypatch.setattr(time, "time_ns", lambda: 1_000)
        second = await store.append(box, ANONYMOUS_HASH, blob(), 0)
    async with place.open() as store:
        box = await open_box(store)
        third = await store.append(box, ANONYMOUS_HASH, blob(), 0)
    assert (second, third) == (first + 1, first + 2)


async def test_no_cursor_is_given_out_again_after_all_entries_have_expired(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.open() as store:
        box = await open_box(store)
        last = await store.append(box, ANONYMOUS_HASH, blob(), 1)
        assert await store.purge(last + 10**9, 100) == 1
        assert await stamps_in(store, box) == []
    monkeypatch.setattr(time, "time_ns", lambda: 1_000)
    async with place.open() as store:
        assert await store.append(await open_box(store), ANONYMOUS_HASH, blob(), 0) == last + 1


async def test_purging_takes_expired_entries_alone_and_only_so_many_at_once(place: Place) -> None:
    async with place.open() as store:
        box = await open_box(store)
        kept = await store.append(box, ANONYMOUS_HASH, blob(), 0)
        for _ in range(5):
            await store.append(box, ANONYMOUS_HASH, blob(), 1)
        far = time.time_ns() + 10**12
        assert [await store.purge(far, 3) for _ in range(3)] == [3, 2, 0]
        assert await stamps_in(store, box) == [kept]


async def test_a_change_that_fails_leaves_its_neighbours_alone(place: Place) -> None:
    async with place.open() as store:
        box = await open_box(store)
        nowhere = MailboxState(BOX, 999_999, 0, {})
        sends = [store.append(box, ANONYMOUS_HASH, blob(str(number)), 0) for number in range(10)]
        sends.insert(5, store.append(nowhere, ANONYMOUS_HASH, blob(), 0))
        outcomes = await asyncio.gather(*sends, return_exceptions=True)
        assert isinstance(outcomes.pop(5), Exception)
        assert await stamps_in(store, box) == outcomes


async def test_a_mailbox_holds_only_so_many_entries_and_bytes(place: Place) -> None:
    async with place.open(limits=StoreLimits(most_entries=3, most_mailbox_bytes=60)) as store:
        box = await open_box(store)
        await store.append(box, ANONYMOUS_HASH, blob("x"), 0)
        with pytest.raises(MailboxFull):
            await store.append(box, ANONYMOUS_HASH, blob("x" * 60), 0)
        await store.append(box, ANONYMOUS_HASH, blob("x"), 0)
        with pytest.raises(MailboxFull):
            await store.append(box, ANONYMOUS_HASH, blob("x" * 30), 0)


async def test_only_so_much_may_wait_to_be_written(place: Place) -> None:
    async with place.open(limits=StoreLimits(most_waiting_bytes=10_000)) as store:
        box = await open_box(store)
        sends = (store.append(box, ANONYMOUS_HASH, blob("x" * 4000), 0) for _ in range(5))
        outcomes = await asyncio.gather(*sends, return_exceptions=True)
        assert [isinstance(outcome, StoreBusy) for outcome in outcomes] == [False, False, True, True, True]


async def test_what_waits_when_the_store_is_closed_is_written_first(place: Place) -> None:
    async with place.open() as store:
        box = await open_box(store)
        sends = [asyncio.ensure_future(store.append(box, ANONYMOUS_HASH, blob(), 0)) for _ in range(50)]
        await asyncio.sleep(0)
    stamps = await asyncio.gather(*sends)
    async with place.open() as store:
        assert await stamps_in(store, await open_box(store)) == stamps


async def test_an_entry_whose_sender_has_left_is_announced_all_the_same(place: Place) -> None:
    seen = Seen()
    async with place.open(seen) as store:
        box = await open_box(store)
        leaving = asyncio.ensure_future(store.append(box, ANONYMOUS_HASH, blob(), 0))
        await asyncio.sleep(0)
        leaving.cancel()
        staying = await store.append(box, ANONYMOUS_HASH, blob(), 0)
        assert [stamp for _, stamp in seen.entries] == await stamps_in(store, box)
        assert seen.entries[-1] == (BOX, staying)
        assert len(seen.entries) == 2


async def test_cursors_follow_a_clock_that_steps_back_and_forward(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.open() as store:
        box = await open_box(store)
        stamps: list[int] = []
        for now in (1_000_000, 5_000, 2_000_000, 1_999_999, 3):
            monkeypatch.setattr(time, "time_ns", lambda now=now: now)
            stamps.append(await store.append(box, ANONYMOUS_HASH, blob(), 0))
        assert stamps == [1_000_000, 1_000_001, 2_000_000, 2_000_001, 2_000_002]


async def test_what_is_stored_is_what_is_read(place: Place) -> None:
    odd = msgspec.structs.replace(blob("\x00\u20ac"), kind="k\x00\u20ac")
    async with place.open() as store:
        box = await open_box(store)
        kept = await store.append(box, ANONYMOUS_HASH, odd, 0)
        brief = await store.append(box, Hash(b"s" * 32), blob(""), 7)
    async with place.open() as store:
        first, second = await store.page(box, 0, 0, 100, 10**6)
        assert (first.entry.message, first.entry.sender_auth_token_hash, first.expires_at) == (
            odd,
            ANONYMOUS_HASH,
            KEEP,
        )
        assert (second.received_at, second.expires_at) == (brief, brief + 7 * 10**9)
        assert [entry.received_at for entry in await store.page(box, 0, brief + 7 * 10**9, 100, 10**6)] == [kept]


async def test_a_page_ends_with_the_entry_that_passes_its_size(place: Place) -> None:
    async with place.open() as store:
        box = await open_box(store)
        stamps = [await store.append(box, ANONYMOUS_HASH, blob("x" * 100), 0) for _ in range(6)]
        for most, size, count in ((100, 250, 3), (100, 50, 1), (2, 10**6, 2), (100, 10**6, 6)):
            page = await store.page(box, 0, 0, most, size)
            assert [entry.received_at for entry in page] == stamps[:count]


async def test_entries_that_came_too_long_ago_are_purged_whatever_their_sender_asked_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.open() as store:
        box = await open_box(store)
        for now in (1000, 2000, 3000):
            monkeypatch.setattr(time, "time_ns", lambda now=now: now)
            await store.append(box, ANONYMOUS_HASH, blob(), 0)
        assert await store.purge(3000, 100, received_before=2500) == 2
        assert await stamps_in(store, box) == [3000]
        assert (await store.stats()).entries == 1


async def test_rights_are_given_and_taken_by_the_rules(place: Place) -> None:
    friend = Hash(b"f" * 32)
    async with place.open(limits=StoreLimits(most_rights=3)) as store:
        own = token_hash(await device_token(store))
        assert await store.register_group(ALICE, own, GROUP)
        grant = MailboxAcl(friend, False, True, True)
        assert await store.edit_access(GROUP[0], own, grant) is AclEdit.STORE
        assert await store.edit_access(GROUP[0], own, grant) is AclEdit.NOTHING
        assert (
            await store.edit_access(GROUP[0], Hash(b"x" * 32), MailboxAcl(friend, True, True, True)) is AclEdit.REFUSE
        )
        assert await store.edit_access(GROUP[0], own, MailboxAcl(Hash(b"3" * 32), False, True, True)) is AclEdit.STORE
        assert await store.edit_access(GROUP[0], own, MailboxAcl(Hash(b"4" * 32), False, True, True)) is AclEdit.REFUSE
        assert await store.edit_access(GROUP[0], friend, MailboxAcl(friend, False, False, False)) is AclEdit.DELETE
        assert await store.edit_access(Hash(b"?" * 32), own, grant) is AclEdit.REFUSE
    async with place.open() as store:
        state = await store.find_mailbox(GROUP[0])
        assert state is not None
        assert set(state.access) == {own, Hash(b"3" * 32)}


async def test_a_group_is_its_makers_and_a_user_makes_only_so_many(place: Place) -> None:
    own, other = Hash(b"a" * 32), Hash(b"b" * 32)
    async with place.open(limits=StoreLimits(most_owned=3)) as store:
        assert await store.register_group(ALICE, own, GROUP)
        assert await store.register_group(ALICE, own, GROUP)
        assert not await store.register_group(BOBBY, other, GROUP)
        assert not await store.register_group(ALICE, own, (Hash(b"3" * 32), Hash(b"4" * 32)))
        assert await store.find_mailbox(Hash(b"3" * 32)) is None
        assert await store.register_group(BOBBY, other, (Hash(b"3" * 32), Hash(b"4" * 32)))


async def test_a_device_has_one_token_and_a_user_so_many_devices(place: Place) -> None:
    alice = account("alice")
    async with place.open(limits=StoreLimits(most_devices=2)) as store:
        token = await store.add_device(ALICE, alice.chain, BOX)
        assert token is not None
        assert await store.add_device(ALICE, alice.chain, BOX) == token
        phone = alice.issue("phone")
        assert await store.add_device(ALICE, phone.chain, BOX) not in (None, token)
        assert await store.add_device(ALICE, alice.issue("tablet").chain, BOX) is None
        assert set(await store.chains(ALICE)) == {alice.hash, phone.hash}
        found = await store.find_device(token_hash(token))
        assert found is not None
        assert (found.user, found.device, found.chain) == (ALICE, alice.hash, alice.chain)
        assert await store.find_device(Hash(b"?" * 32)) is None


async def test_devices_that_are_dropped_leave_nothing_and_the_others_stay(place: Place) -> None:
    alice = account("alice")
    phone, tablet = alice.issue("phone"), alice.issue("tablet")
    async with place.open() as store:
        tokens = [await store.add_device(ALICE, each.chain, BOX) for each in (alice, phone, tablet)]
        hashes = [token_hash(token) for token in tokens if token is not None]
        device = await store.find_device(hashes[1])
        assert device is not None
        assert await store.set_medium_key(device, phone.signed_medium_key(NOW_S))
        assert await store.set_profile(ALICE, UserProfile(None, None, 5, Signature(bytes(64))))
        await store.drop_devices(ALICE, BOX, [])
        await store.drop_devices(BOBBY, BOX, [alice.hash])
        assert await store.profile(ALICE) is not None
        for _ in range(2):
            await store.drop_devices(ALICE, BOX, [alice.hash, phone.hash])
            assert await store.chains(ALICE) == {tablet.hash: tablet.chain}
            assert await store.medium_keys(ALICE) == {}
            assert await store.profile(ALICE) is None
            assert [await store.find_device(each) is None for each in hashes] == [True, True, False]
            state = await store.find_mailbox(BOX)
            assert state is not None
            assert set(state.access) == {ANONYMOUS_HASH, hashes[2]}
        assert await store.set_profile(ALICE, UserProfile(None, None, 1, Signature(bytes(64)))), "of the new root"


async def test_the_newest_medium_key_and_the_newest_profile_count(place: Place) -> None:
    alice = account("alice")
    old, new = (UserProfile(None, None, created, Signature(bytes(64))) for created in (1, 2))
    async with place.open() as store:
        found = await store.find_device(token_hash(await device_token(store)))
        assert found is not None
        newer = alice.signed_medium_key(NOW_S)
        assert await store.set_medium_key(found, newer)
        assert await store.set_medium_key(found, newer)
        assert not await store.set_medium_key(found, alice.signed_medium_key(NOW_S - 1))
        assert await store.medium_keys(ALICE) == {alice.hash: newer}
        assert [await store.set_profile(ALICE, item) for item in (old, new, new, old)] == [True, True, False, False]
        assert await store.profile(ALICE) == new
        assert await store.profile(BOBBY) is None


async def test_a_prepared_account_ends_with_its_time_unless_it_is_confirmed(place: Place) -> None:
    seen = Seen()
    async with place.open(seen) as store:
        for user in ("alice", "bobby"):
            device = account(user)
            name = direct_mailbox(device.username)
            await store.add_device(device.username, device.chain, name, prepared_until=1000)
            state = await store.find_mailbox(name)
            assert state is not None
            await store.append(state, ANONYMOUS_HASH, blob(), 0)
        bobby = account("bobby")
        await store.add_device(BOBBY, bobby.chain, direct_mailbox(BOBBY))
        assert await store.lapsed_accounts(999, 10) == []
        assert await store.lapsed_accounts(1000, 10) == [ALICE]
        assert await store.remove_lapsed(ALICE, 1000, 10)
        assert await store.find_account(ALICE) is None
        assert await store.find_mailbox(direct_mailbox(ALICE)) is None
        assert direct_mailbox(ALICE) in seen.closes
        kept = await store.find_account(BOBBY)
        assert kept is not None
        assert kept.prepared_until == 0
        assert (await store.stats()).entries == 1


async def test_an_invite_lets_so_many_in_and_each_of_them_once(place: Place) -> None:
    invite = Hash(b"i" * 32)
    async with place.open() as store:
        await store.add_invite(invite, 2, 1000)
        users = [Username(f"@user{number}") for number in range(5)]
        admitted = await asyncio.gather(*(store.redeem_invite(invite, user, 10) for user in users))
        assert sum(admitted) == 2
        for user, is_in in zip(users, admitted, strict=True):
            assert await store.is_invited(user) is is_in
            assert await store.redeem_invite(invite, user, 10) is is_in
        await store.add_invite(invite, 2, 1000)
        assert not await store.redeem_invite(invite, Username("@late1"), 1000)


async def test_fragments_are_charged_to_who_keeps_them_until_they_expire(place: Place) -> None:
    first, second = Hash(b"1" * 32), Hash(b"2" * 32)
    async with place.open() as store:
        assert await store.keep_fragment(first, "a", 60, ALICE, 1000, 100) == "a"
        assert await store.keep_fragment(first, "b", 60, ALICE, 500, 100) == "a"
        assert await store.keep_fragment(second, "c", 60, ALICE, 1000, 100) is None
        assert await store.keep_fragment(first, "d", 60, BOBBY, KEEP, 100) == "a"
        assert (await store.fragment_bytes(ALICE), await store.fragment_bytes(BOBBY)) == (60, 60)
        assert await store.keep_fragment(second, "c", 30, ALICE, 1000, 100) == "c"
        assert await store.purge_fragments(1000, 10) == ["c"]
        assert await store.purge_fragments(1000, 10) == ["c"]
        assert await store.are_bodies_known(["a", "c", "d"]) == [True, True, False]
        await store.bodies_removed(["c"])
        assert await store.purge_fragments(1000, 10) == []
        assert await store.find_fragment(second, 0) is None
        assert await store.find_fragment(first, 0) == "a"
        assert (await store.fragment_bytes(ALICE), await store.fragment_bytes(BOBBY)) == (60, 60)


async def test_uploads_at_the_same_time_do_not_pass_the_quota_together(place: Place) -> None:
    async with place.open() as store:
        kept = await asyncio.gather(
            *(
                store.keep_fragment(Hash(bytes([number]) * 32), str(number), 30, ALICE, KEEP, 100)
                for number in range(10)
            )
        )
        assert len(kept) - kept.count(None) == 3
        assert await store.fragment_bytes(ALICE) == 90


async def test_it_knows_what_it_holds_and_that_it_takes_writes(place: Place) -> None:
    async with place.open() as store:
        box = await open_box(store)
        await store.append(box, ANONYMOUS_HASH, blob("four"), 0)
        await store.keep_fragment(Hash(b"1" * 32), "a", 60, ALICE, KEEP, 100)
        await store.add_invite(Hash(b"i" * 32), 1, KEEP)
        await store.probe(1)
        await store.probe(2)
        entry_bytes = 4 + len(blob().kind)
        assert await store.stats() == StoreStats(1, 1, 1, 1, entry_bytes, 1, 60, 1)


async def test_the_groups_of_a_user_hold_so_much_together_and_nobody_else_is_held_to_it(place: Place) -> None:
    groups = [Hash(bytes([number]) * 32) for number in (1, 2)]
    size = len(blob("x" * 1000).kind) + 1000
    async with place.open(limits=StoreLimits(most_owned_bytes=3 * size)) as store:
        token = token_hash(await device_token(store))
        assert await store.register_group(ALICE, token, groups)
        first, second = [await state_of(store, name) for name in groups]
        for state in (first, second, first):
            await store.append(state, token, blob("x" * 1000), 0)
        for state in (first, second):
            with pytest.raises(MailboxFull):
                await store.append(state, token, blob("x" * 1000), 0)
        for _ in range(5):
            await store.append(await state_of(store, BOX), ANONYMOUS_HASH, blob("x" * 1000), 0)


async def state_of(store: HomeStore, name: Hash) -> MailboxState:
    state = await store.find_mailbox(name)
    assert state is not None
    return state
