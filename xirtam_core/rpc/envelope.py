"""The JSON-RPC envelope: positional parameters, errors with data (spec: rpc.md, Envelope)."""

from typing import Any, Final, cast

import msgspec

from xirtam_core.codec import jsontext
from xirtam_core.errors import Malformed, XirtamError

METHOD_ERROR: Final = -1
METHOD_NOT_FOUND: Final = -32601
INVALID_REQUEST: Final = -32600
PARSE_ERROR: Final = -32700

_SMALLEST_ID: Final = -(2**63)
_LARGEST_ID: Final = 2**63 - 1


class Request(msgspec.Struct, frozen=True):
    """A call, its parameters not yet decoded. Its fields stand in the order in which clients write them."""

    version: str = msgspec.field(name="jsonrpc")
    method: str
    params: list[Any]
    id: str | int


_plain_request = msgspec.json.Decoder(Request)


class Fault(msgspec.Struct, frozen=True):
    """An error as it travels: read it by `data`, and by `code` only where `data` is None."""

    code: int
    message: str
    data: Any = None


class CallError(XirtamError):
    """A call was answered with an error that is not one of its method's own."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"the server answered: {fault.message[:200]}")
        self.fault = fault


def parse_request(text: bytes | str) -> Request:
    """The request in `text`; raises `Malformed` for anything that is none."""
    request = jsontext.parse_plain(text, _plain_request) if isinstance(text, bytes) else None
    if request is not None and (type(request.id) is str or _SMALLEST_ID <= cast("int", request.id) <= _LARGEST_ID):
        return request
    return request_from(jsontext.parse(text))


def request_from(raw: Any) -> Request:
    """The request that parsed JSON stands for; raises `Malformed`."""
    if not isinstance(raw, dict):
        raise Malformed("a request is an object")
    given = cast("dict[str, Any]", raw)
    if isinstance(given, jsontext.RepeatedKeys) and given.repeated & {"jsonrpc", "method", "params", "id"}:
        raise Malformed("a field comes twice")
    version, method, params, call_id = given.get("jsonrpc"), given.get("method"), given.get("params"), given.get("id")
    if type(version) is not str or type(method) is not str or type(params) is not list:
        raise Malformed("a request has jsonrpc, method, params and id")
    if type(call_id) is not str and not (type(call_id) is int and _SMALLEST_ID <= call_id <= _LARGEST_ID):
        raise Malformed("an id is text or an integer")
    return Request(version, method, cast("list[Any]", params), call_id)


def render_request(method: str, params: list[Any], call_id: str) -> bytes:
    """A call as JSON."""
    return jsontext.render({"jsonrpc": "2.0", "method": method, "params": params, "id": call_id})


def render_result(call_id: str | int, result: Any) -> bytes:
    """The answer to a call that went well; `result` is builtins, or JSON already made (`msgspec.Raw`)."""
    return jsontext.render({"jsonrpc": "2.0", "result": result, "id": call_id})


def render_fault(call_id: str | int | None, fault: Fault) -> bytes:
    """The answer to a call that did not."""
    error = {"code": fault.code, "message": fault.message, "data": fault.data}
    return jsontext.render({"jsonrpc": "2.0", "error": error, "id": call_id})


class Answer(msgspec.Struct, frozen=True):
    """A response, its result not yet decoded."""

    id: str | int | None
    result: Any
    fault: Fault | None


def parse_answer(text: bytes | str) -> Answer:
    """The response in `text`; one with neither result nor error is a null result. Raises `Malformed`."""
    raw = jsontext.parse(text)
    if not isinstance(raw, dict):
        raise Malformed("a response is an object")
    given = cast("dict[str, Any]", raw)
    call_id, error = given.get("id"), given.get("error")
    if call_id is not None and type(call_id) not in (str, int):
        raise Malformed("a response's id is text or an integer")
    fault = None if error is None else _fault_from(error)
    return Answer(call_id, given.get("result"), fault)


def _fault_from(raw: Any) -> Fault:
    if not isinstance(raw, dict):
        raise Malformed("a response's error is an object")
    given = cast("dict[str, Any]", raw)
    code, message = given.get("code"), given.get("message")
    if type(code) is not int or type(message) is not str:
        raise Malformed("a response's error has a code and a message")
    return Fault(code, message, given.get("data"))
