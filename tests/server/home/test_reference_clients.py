"""What clients do that were made for the reference server, and what they need of ours (spec: pitfalls.md).

They are spoken for by the JSON that they send. What is tested elsewhere in their words is not repeated here.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.builders import Device, account
from tests.server_builders import HARBOR, QUICK, FakeDirectory, Harbor, open_harbor, until
from xirtam_core.codec import jsonwire
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken, Hash
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.names import ServerName
from xirtam_core.protocol.mailbox import direct_mailbox, group_messages_mailbox
from xirtam_server.storage.sqlite import SqliteHomeStore

NOBODY = "11" * 20
NOWHERE = "22" * 32
REQUEST: dict[str, Any] = {"jsonrpc": "2.0", "method": "v1_server_info", "params": [], "id": "req-1"}
DENIED = {"code": -1, "message": "access denied", "data": "access_denied"}
NOT_SUPPORTED = {"code": -1, "message": "proxying not supported", "data": "not_supported"}
BLOB = {"kind": "v1.direct_message", "inner": "aGVsbG8"}
METHODS = (
    "v1_device_auth", "v1_device_certs", "v1_device_medium_pks", "v1_device_add_medium_pk", "v1_profile", "v1_profile_set",
    "v1_mailbox_send", "v1_mailbox_multirecv", "v1_mailbox_acl_edit", "v1_register_group", "v1_proxy_server",
    "v1_proxy_directory", "v1_upload_frag", "v1_download_frag",
)  # fmt: skip


class ReferenceClient:
    """Says what a reference client says, over one HTTP connection."""

    def __init__(self, web: httpx.AsyncClient) -> None:
        self._web = web

    async def answer(self, method: str, *params: Any, call_id: Any = "req-7") -> dict[str, Any]:
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": call_id}
        response = await self._web.post("/", json=request)
        assert response.status_code == 200
        return response.json()

    async def call(self, method: str, *params: Any) -> Any:
        """The result; fails where there is none."""
        return (await self.answer(method, *params))["result"]

    async def sign_in(self, device: Device) -> str:
        return await self.call("v1_device_auth", device.username, msgspec.json.decode(jsonwire.encode(device.chain)))


@contextlib.asynccontextmanager
async def reference(harbor: Harbor) -> AsyncGenerator[ReferenceClient]:
    async with httpx.AsyncClient(base_url=harbor.urls["http"], timeout=30) as web:
        yield ReferenceClient(web)


def newcomer(directory: FakeDirectory, name: str = "alice", server: ServerName = HARBOR) -> Device:
    device = account(name)
    directory.add(device, server)
    return device


def hex_of(mailbox: Hash) -> str:
    return mailbox.text()


ANSWERS: list[tuple[str, list[Any], dict[str, Any]]] = [
    # What is unknown is empty, and no error.
    ("v1_device_medium_pks", ["@nobody_"], {"result": {}}),
    ("v1_device_certs", ["@nobody_"], {"result": None}),
    ("v1_profile", ["@nobody_"], {"result": None}),
    ("v1_download_frag", [NOWHERE], {"result": None}),
    # An empty list, which would kill a reference server, and no time.
    ("v1_mailbox_multirecv", [[], 0], {"result": {}}),
    # A mailbox that is not there grants nothing, not even deleting an entry that nobody has.
    ("v1_mailbox_send", [NOBODY, NOWHERE, BLOB, 0], {"error": DENIED}),
    (
        "v1_mailbox_acl_edit",
        [NOBODY, NOWHERE, {"token_hash": NOWHERE, "can_edit_acl": False, "can_send": False, "can_recv": False}],
        {"error": DENIED},
    ),
    ("v1_register_group", [NOBODY, NOWHERE], {"error": DENIED}),
    # The proxy is off or the token unknown: the client goes direct only if it hears just this.
    ("v1_proxy_server", [NOBODY, "~haven", REQUEST], {"error": NOT_SUPPORTED}),
    ("v1_proxy_directory", [NOBODY, REQUEST], {"error": NOT_SUPPORTED}),
    # Too many parameters are ignored, a missing one is not, and `data` is always there.
    ("v1_profile", ["@nobody_", 1, None], {"result": None}),
    (
        "v1_mailbox_send",
        [NOBODY, NOWHERE, BLOB],
        {"error": {"code": -1, "message": "deserialization of argument 3 failed", "data": None}},
    ),
    ("v1_unheard_of", [], {"error": {"code": -32601, "message": "Method not found", "data": None}}),
]


@pytest.mark.parametrize(("method", "params", "answer"), ANSWERS)
async def test_an_answer_is_the_one_that_a_reference_client_reads(
    harbor: Harbor, method: str, params: list[Any], answer: dict[str, Any]
) -> None:
    async with reference(harbor) as client:
        for call_id in (f"req-{secrets.randbits(64)}", -(2**63)):
            assert await client.answer(method, *params, call_id=call_id) == {
                "jsonrpc": "2.0",
                "id": call_id,
                **answer,
            }


async def test_every_method_that_a_reference_client_calls_is_there(harbor: Harbor) -> None:
    async with reference(harbor) as client:
        for method in METHODS:
            answer = await client.answer(method)
            assert answer["error"]["message"] == "deserialization of argument 0 failed", method


async def test_a_client_that_cannot_prove_its_device_is_let_in_where_the_operator_says_so(tmp_path: Path) -> None:
    directory = FakeDirectory()
    alice = newcomer(directory)
    async with (
        open_harbor(tmp_path, directory=directory, legacy_device_auth=True) as harbor,
        reference(harbor) as client,
    ):
        token = await client.sign_in(alice)
        assert await client.sign_in(alice) == token, "and again whenever it starts"
    async with open_harbor(tmp_path, directory=directory) as harbor, reference(harbor) as client:
        chain = msgspec.json.decode(jsonwire.encode(alice.chain))
        assert (await client.answer("v1_device_auth", alice.username, chain))["error"] == DENIED


async def test_a_client_that_registers_and_never_asks_again_is_let_in_though_the_directory_is_away_for_a_moment(
    tmp_path: Path,
) -> None:
    directory = FakeDirectory()
    alice = newcomer(directory)
    directory.is_reachable = False
    async with (
        open_harbor(tmp_path, directory=directory, legacy_device_auth=True) as harbor,
        reference(harbor) as client,
    ):
        signing_in = asyncio.create_task(client.sign_in(alice))
        await until(lambda: directory.asked > 0)
        directory.is_reachable = True
        assert len(await signing_in) == 40


async def test_a_token_goes_on_working_after_a_restart_and_after_its_user_has_moved(tmp_path: Path) -> None:
    directory = FakeDirectory()
    alice = newcomer(directory)
    mailbox = hex_of(direct_mailbox(alice.username))
    async with (
        open_harbor(tmp_path, directory=directory, legacy_device_auth=True) as harbor,
        reference(harbor) as client,
    ):
        token = await client.sign_in(alice)
    newcomer(directory, "alice", ServerName("~elsewhere"))
    async with (
        open_harbor(tmp_path, directory=directory, legacy_device_auth=True) as harbor,
        reference(harbor) as client,
    ):
        received_at = await client.call("v1_mailbox_send", ANONYMOUS.text(), mailbox, BLOB, 0)
        wanted = [{"auth": token, "mailbox": mailbox, "after": 0}]
        found = await client.call("v1_mailbox_multirecv", wanted, 1000)
        assert found == {
            mailbox: [
                {
                    "message": BLOB,
                    "received_at": received_at,
                    "sender_auth_token_hash": token_hash(ANONYMOUS).text(),
                }
            ]
        }


async def test_a_page_that_is_fetched_entry_by_entry_is_read_from_the_disk_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client takes one entry of an answer and asks again from there."""
    directory = FakeDirectory()
    alice = newcomer(directory)
    mailbox = hex_of(direct_mailbox(alice.username))
    async with (
        open_harbor(tmp_path, directory=directory, legacy_device_auth=True) as harbor,
        reference(harbor) as client,
    ):
        token = await client.sign_in(alice)
        sent = [await client.call("v1_mailbox_send", ANONYMOUS.text(), mailbox, BLOB, 0) for _ in range(100)]
    reads, page = 0, SqliteHomeStore.page

    async def counted(*args: Any) -> Any:
        nonlocal reads
        reads += 1
        return await page(*args)

    monkeypatch.setattr(SqliteHomeStore, "page", counted)
    async with (
        open_harbor(tmp_path, directory=directory, legacy_device_auth=True) as harbor,
        reference(harbor) as client,
    ):
        seen = [0]
        while len(seen) <= len(sent):
            wanted = [{"auth": token, "mailbox": mailbox, "after": seen[-1]}]
            found = await client.call("v1_mailbox_multirecv", wanted, 1000)
            seen.append(found[mailbox][0]["received_at"])
    assert seen[1:] == sent
    assert reads == 1


async def test_a_poll_for_half_an_hour_is_answered_when_the_server_thinks_it_long_enough(tmp_path: Path) -> None:
    directory = FakeDirectory()
    alice = newcomer(directory)
    limits = msgspec.structs.replace(QUICK, longest_poll_s=0.05)
    async with (
        open_harbor(tmp_path, directory=directory, limits=limits, legacy_device_auth=True) as harbor,
        reference(harbor) as client,
    ):
        token = await client.sign_in(alice)
        wanted = [{"auth": token, "mailbox": hex_of(direct_mailbox(alice.username)), "after": 0}]
        assert await client.call("v1_mailbox_multirecv", wanted, 1_800_000) == {}


async def test_a_group_token_that_is_refused_neither_spins_nor_hides_the_users_own_mail(tmp_path: Path) -> None:
    """The client repeats a refused call at once and for ever: each refusal takes a while, and what can be read comes first."""
    directory = FakeDirectory()
    alice = newcomer(directory)
    limits = msgspec.structs.replace(QUICK, denied_pause_s=0.2)
    own, group = (hex_of(box) for box in (direct_mailbox(alice.username), group_messages_mailbox(Hash(b"g" * 32))))
    async with (
        open_harbor(tmp_path, directory=directory, limits=limits, legacy_device_auth=True) as harbor,
        reference(harbor) as client,
    ):
        token = await client.sign_in(alice)
        wanted = [{"auth": NOBODY, "mailbox": group, "after": 0}, {"auth": token, "mailbox": own, "after": 0}]
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for _ in range(3):
            assert (await client.answer("v1_mailbox_multirecv", wanted, 1_800_000))["error"] == DENIED
        assert loop.time() - begun >= 0.6
        await client.call("v1_mailbox_send", ANONYMOUS.text(), own, BLOB, 0)
        assert list(await client.call("v1_mailbox_multirecv", wanted, 1_800_000)) == [own]


async def test_a_group_is_made_and_joined_as_reference_clients_do(tmp_path: Path) -> None:
    """With a device token it registers the group and lets its own group token in; with that it invites, within its rights."""
    directory = FakeDirectory()
    alice = newcomer(directory)
    group = Hash(b"g" * 32)
    mailbox = hex_of(group_messages_mailbox(group))
    ours, theirs = AuthToken(b"\x33" * 20), AuthToken(b"\x44" * 20)

    def granting(token: AuthToken, *, edit: bool) -> dict[str, Any]:
        return {"token_hash": token_hash(token).text(), "can_edit_acl": edit, "can_send": True, "can_recv": True}

    async with (
        open_harbor(tmp_path, directory=directory, legacy_device_auth=True) as harbor,
        reference(harbor) as client,
    ):
        token = await client.sign_in(alice)
        assert await client.call("v1_register_group", token, group.text()) is None
        assert await client.call("v1_mailbox_acl_edit", token, mailbox, granting(ours, edit=True)) is None
        assert await client.call("v1_mailbox_acl_edit", ours.text(), mailbox, granting(theirs, edit=False)) is None
        await client.call("v1_mailbox_send", theirs.text().upper(), mailbox, BLOB | {"later": 1}, 0)
        wanted = [{"auth": ours.text(), "mailbox": mailbox, "after": 0}]
        (entry,) = (await client.call("v1_mailbox_multirecv", wanted, 1000))[mailbox]
        assert entry["sender_auth_token_hash"] == token_hash(theirs).text()
        assert (await client.answer("v1_register_group", ours.text(), group.text()))["error"] == DENIED
