"""The envelope, byte for byte (spec: rpc.md, Envelope)."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from xirtam_core.codec.integers import U32, U64
from xirtam_core.errors import Malformed, Unreachable, XirtamError
from xirtam_core.rpc import envelope
from xirtam_core.rpc.envelope import CallError, Fault
from xirtam_core.rpc.home_server import AccessDenied, ServerError
from xirtam_core.rpc.service import Dispatcher, Service, method
from xirtam_core.rpc.transports import LocalTransport


class Probe(Service):
    """Methods of each kind that matters to the envelope."""

    @method("v1_note", errors=ServerError)
    async def note(self, text: str | None) -> str | None: ...

    @method("v1_add", errors=ServerError)
    async def add(self, left: U32, right: U64) -> U64: ...

    @method("v1_forget", errors=ServerError)
    async def forget(self) -> None: ...

    @method("v1_wait", errors=ServerError, waits=True)
    async def wait(self, timeout_ms: U64) -> None: ...


class Answering(Probe):
    async def note(self, text: str | None) -> str | None:
        return text

    async def add(self, left: int, right: int) -> int:
        if right == 13:
            raise AccessDenied
        if right == 14:
            raise KeyError("a fault of ours")
        return left + right

    async def forget(self) -> None:
        return None

    async def wait(self, timeout_ms: int) -> None:
        await asyncio.sleep(timeout_ms / 1000)


async def answer(request: dict[str, Any] | str) -> str:
    text = request if isinstance(request, str) else json.dumps(request)
    return (await Dispatcher(Answering()).answer(envelope.parse_request(text))).decode()


def call(name: str, *params: Any, version: str = "2.0", call_id: Any = "a") -> dict[str, Any]:
    return {"jsonrpc": version, "method": name, "params": list(params), "id": call_id}


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (call("v1_add", 2, 3), '{"jsonrpc":"2.0","result":5,"id":"a"}'),
        (
            call("v1_add", 2, 2**60, call_id=-(2**63)),
            '{"jsonrpc":"2.0","result":1152921504606846978,"id":-9223372036854775808}',
        ),
        (call("v1_add", 2, 3, {"more": 1}), '{"jsonrpc":"2.0","result":5,"id":"a"}'),
        (call("v1_forget"), '{"jsonrpc":"2.0","result":null,"id":"a"}'),
        (call("v1_note", None), '{"jsonrpc":"2.0","result":null,"id":"a"}'),
        (call("v1_note", 'ü"\n'), '{"jsonrpc":"2.0","result":"ü\\"\\n","id":"a"}'),
        (
            call("v1_note"),
            '{"jsonrpc":"2.0","error":{"code":-1,"message":"deserialization of argument 0 failed","data":null},"id":"a"}',
        ),
        (
            call("v1_add", 2, "3"),
            '{"jsonrpc":"2.0","error":{"code":-1,"message":"deserialization of argument 1 failed","data":null},"id":"a"}',
        ),
        (
            call("v1_add", 2**32, "3"),
            '{"jsonrpc":"2.0","error":{"code":-1,"message":"deserialization of argument 0 failed","data":null},"id":"a"}',
        ),
        (
            call("v1_add", 2, 13),
            '{"jsonrpc":"2.0","error":{"code":-1,"message":"access denied","data":"access_denied"},"id":"a"}',
        ),
        (
            call("v1_none"),
            '{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found","data":null},"id":"a"}',
        ),
        (
            call("v1_add", version="1.0"),
            '{"jsonrpc":"2.0","error":{"code":-32600,"message":"JSON-RPC version wrong","data":null},"id":"a"}',
        ),
    ],
)
async def test_answers_byte_for_byte(request_: dict[str, Any], reply: str) -> None:
    assert await answer(request_) == reply


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "null", "1", '"x"', "{}", "{", "[{}]"),
        '{"jsonrpc":"2.0","method":"m","params":[]}',
        '{"jsonrpc":"2.0","method":"m","params":[],"id":null}',
        '{"jsonrpc":"2.0","method":"m","params":[],"id":1.0}',
        '{"jsonrpc":"2.0","method":"m","params":[],"id":true}',
        '{"jsonrpc":"2.0","method":"m","params":[],"id":["a"]}',
        '{"jsonrpc":"2.0","method":"m","params":[],"id":9223372036854775808}',
        '{"jsonrpc":"2.0","method":"m","params":{"a":1},"id":"a"}',
        '{"jsonrpc":"2.0","method":"m","params":null,"id":"a"}',
        '{"jsonrpc":"2.0","method":"m","id":"a"}',
        '{"jsonrpc":"2.0","params":[],"id":"a"}',
        '{"jsonrpc":"2.0","method":1,"params":[],"id":"a"}',
        '{"method":"m","params":[],"id":"a"}',
        '{"jsonrpc":2.0,"method":"m","params":[],"id":"a"}',
        '[{"jsonrpc":"2.0","method":"m","params":[],"id":"a"}]',
        '{"jsonrpc":"2.0","method":"m","params":[],"id":"a"}{}',
    ],
)
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        envelope.parse_request(text)
    with pytest.raises(Malformed):
        envelope.parse_request(text.encode())


def test_a_parse_error_has_a_null_id() -> None:
    reply = envelope.render_fault(None, Fault(envelope.PARSE_ERROR, "Parse error", "why"))
    assert reply == b'{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error","data":"why"},"id":null}'


def test_a_request_byte_for_byte() -> None:
    expected = b'{"jsonrpc":"2.0","method":"v1_add","params":[1,"\xc3\xbc"],"id":"req-1"}'
    assert envelope.render_request("v1_add", [1, "ü"], "req-1") == expected


class Says:
    """A transport whose server answers every call with the same words, but for the id."""

    def __init__(self, **fields: Any) -> None:
        self._fields = fields
        self.requests: list[dict[str, Any]] = []
        self.timeouts: list[float] = []

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        self.requests.append(json.loads(request))
        self.timeouts.append(timeout_s)
        return json.dumps({"jsonrpc": "2.0", "id": call_id} | self._fields).encode()

    async def close(self) -> None: ...


async def test_an_answer_with_neither_result_nor_error_is_a_null_result() -> None:
    probe = Probe.stub(Says(more=1))
    assert await probe.note("x") is None
    await probe.forget()
    with pytest.raises(Unreachable):
        await probe.add(1, 2)


async def test_an_error_that_is_null_is_none() -> None:
    assert await Probe.stub(Says(result=5, error=None)).add(1, 2) == 5


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": -1, "message": "x", "data": "access_denied"}, AccessDenied),
        ({"code": -99, "message": "x", "data": "access_denied"}, AccessDenied),
        ({"code": -32601, "message": "Method not found", "data": None}, CallError),
        ({"code": -32601, "message": "Method not found"}, CallError),
        ({"code": -1, "message": "x", "data": {"what": "ever"}}, CallError),
        ({"code": "x", "message": "x", "data": None}, Unreachable),
        ({"message": "x"}, Unreachable),
        ("access_denied", Unreachable),
        ([], Unreachable),
    ],
)
async def test_errors_are_read_by_their_data(error: Any, expected: type[XirtamError]) -> None:
    with pytest.raises(XirtamError) as caught:
        await Probe.stub(Says(error=error, result=5)).add(1, 2)
    assert type(caught.value) is expected


async def test_a_call_error_keeps_the_code_and_shortens_the_words_of_a_stranger() -> None:
    with pytest.raises(CallError) as caught:
        await Probe.stub(Says(error={"code": -32601, "message": "x" * 10_000, "data": None})).forget()
    assert caught.value.fault.code == -32601
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "fields", [{"id": "another"}, {"id": None}, {"id": 1}, {"id": [1]}, {"result": "5"}, {"result": -1}]
)
async def test_an_answer_to_another_call_or_of_another_type_is_no_answer(fields: dict[str, Any]) -> None:
    with pytest.raises(Unreachable):
        await Probe.stub(Says(**{"result": 5} | fields)).add(1, 2)


@pytest.mark.parametrize("reply", [b"", b"null", b"[]", b'"x"', b"{", b"\xff", b"[" * 100_000])
async def test_garbage_is_no_answer(reply: bytes) -> None:
    class Garbage(Says):
        async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
            return reply

    with pytest.raises(Unreachable):
        await Probe.stub(Garbage()).forget()


async def test_ids_are_random_and_differ_between_calls_and_clients() -> None:
    transports = [Says(), Says()]
    for transport in transports:
        for _ in range(50):
            await Probe.stub(transport).forget()
    ids = [request["id"] for transport in transports for request in transport.requests]
    assert len(set(ids)) == 100
    assert all(call_id.startswith("req-") and call_id.removeprefix("req-").isdigit() for call_id in ids)
    assert len({call_id[:6] for call_id in ids}) > 5


async def test_a_method_that_waits_on_purpose_is_given_the_time_it_asks_for() -> None:
    transport = Says()
    probe = Probe.stub(transport, timeout_s=30)
    await probe.forget()
    await probe.wait(540_000)
    assert transport.timeouts == [30, 570]


async def test_a_fault_of_the_implementations_is_raised_to_whoever_serves_it() -> None:
    with pytest.raises(KeyError):
        await answer(call("v1_add", 1, 14))
    with pytest.raises(KeyError):
        await Probe.stub(LocalTransport(Dispatcher(Answering()))).add(1, 14)


async def test_json_that_is_already_made_is_sent_as_it_is() -> None:
    class Ready(Probe):
        async def add(self, left: int, right: int) -> Any:
            return msgspec.Raw(b"12345678901234567890")

    assert await Probe.stub(LocalTransport(Dispatcher(Ready()))).add(1, 2) == 12345678901234567890


async def test_a_local_call_has_its_time_limit_too() -> None:
    with pytest.raises(Unreachable, match="within"):
        await Probe.stub(LocalTransport(Dispatcher(Answering())), timeout_s=-9.98).wait(10_000)


async def test_a_local_transport_refuses_what_is_no_request() -> None:
    with pytest.raises(Unreachable):
        await LocalTransport(Dispatcher(Answering())).call(b"{}", "req-1", timeout_s=1)
