"""Services: each method declared once, from which follow the client's stub and the server's dispatch (spec: rpc.md).

A service is a class whose methods carry `@method(wire name)`. A server subclasses it and overrides them; a client calls
`Service.stub(transport)`. Parameter and result types come from the annotations, the method's own errors from `errors=`.
"""

import inspect
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from time import perf_counter
from typing import Any, ClassVar, ParamSpec, Protocol, Self, TypeVar, get_type_hints

import msgspec

from xirtam_core.codec.codec import Codec
from xirtam_core.codec.schema import codec_of
from xirtam_core.errors import Malformed, Unreachable, XirtamError
from xirtam_core.rpc import envelope
from xirtam_core.rpc.envelope import CallError, Fault, Request

P = ParamSpec("P")
R = TypeVar("R")


class MethodError(XirtamError):
    """An error that belongs to a service's methods: it travels as `code` -1, a text and a JSON value."""

    def fault(self) -> Fault:
        """The form in which it travels."""
        raise AssertionError(f"{type(self).__name__} does not say how it travels")

    @classmethod
    def from_fault(cls, fault: Fault) -> XirtamError | None:
        """The error that `fault` stands for, or None for none of this service's."""
        raise AssertionError(f"{cls.__name__} does not say how it travels")


class Transport(Protocol):
    """Carries one call to one server and its answer back."""

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        """The response to `request` (its id is `call_id`); raises `Unreachable` for anything that is not one."""
        ...

    async def close(self) -> None:
        """Lets go of connections; calls in flight fail."""
        ...


class Method(msgspec.Struct, frozen=True):
    """One method of a service, as declared."""

    name: str
    attribute: str
    params: tuple[Codec[Any], ...]
    result: Codec[Any] | None
    errors: type[MethodError]
    waits: bool


_MARK = "__rpc_method__"
_WITHOUT_TASK = "__rpc_without_task__"
CALL_TIMEOUT_S = 30.0


class RawJson(msgspec.Struct, frozen=True):
    """A parameter or result that is passed on as it came: JSON builtins that this end does not look into."""

    value: Any


class _RawCodec(Codec[RawJson]):
    def write(self, value: RawJson, out: bytearray) -> None:
        raise TypeError("raw JSON has no BCS")

    def read(self, data: bytes, at: int) -> tuple[RawJson, int]:
        raise TypeError("raw JSON has no BCS")

    def to_json(self, value: RawJson) -> Any:
        return value.value

    def from_json(self, raw: Any) -> RawJson:
        return RawJson(raw)


def method(
    name: str, *, errors: type[MethodError], waits: bool = False
) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R]]]:
    """Declares a service's method under its wire name; `waits` where its last parameter says how long it may wait, in ms."""

    def mark(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        setattr(function, _MARK, (name, errors, waits))
        return function

    return mark


def without_task(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Says of a server's implementation that it may run outside a task, which is faster: it waits for futures alone.

    What it calls must not ask for the current task, as `asyncio.timeout` and task groups do; where it may, it makes one of its own.
    """
    setattr(function, _WITHOUT_TASK, True)
    return function


def _codec(annotation: Any) -> Codec[Any]:
    return _RawCodec() if annotation is RawJson else codec_of(annotation)


def _declared(attribute: str, function: Any) -> Method:
    name, errors, waits = getattr(function, _MARK)
    hints = get_type_hints(function, include_extras=True)
    result = hints.pop("return")
    order = [parameter for parameter in inspect.signature(function).parameters if parameter != "self"]
    params = tuple(_codec(hints[parameter]) for parameter in order)
    return Method(name, attribute, params, None if result is type(None) else _codec(result), errors, waits)


class Service:
    """The base of a table of methods."""

    methods: ClassVar[dict[str, Method]] = {}

    def __init_subclass__(cls) -> None:
        own = {attribute: value for attribute, value in vars(cls).items() if hasattr(value, _MARK)}
        declared = (_declared(attribute, value) for attribute, value in own.items())
        cls.methods = cls.methods | {entry.name: entry for entry in declared}

    @classmethod
    def stub(cls, transport: Transport, *, timeout_s: float = CALL_TIMEOUT_S) -> Self:
        """This service as a server answers it over `transport`.

        Calls raise the methods' own errors, `CallError` for any other error, and `Unreachable` where no usable answer came.
        Methods that wait on purpose extend the limit by the wait that they are called with.
        """
        return _Stub(cls, transport, timeout_s)  # type: ignore[return-value]  # has every method of cls


class _Stub:
    def __init__(self, service: type[Service], transport: Transport, timeout_s: float) -> None:
        self._transport = transport
        self._timeout_s = timeout_s
        for entry in service.methods.values():
            setattr(self, entry.attribute, self._caller(entry))

    def _caller(self, entry: Method) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any) -> Any:
            params = [codec.to_json(value) for codec, value in zip(entry.params, args, strict=True)]
            call_id = f"req-{secrets.randbits(64)}"
            request = envelope.render_request(entry.name, params, call_id)
            waits_s = args[-1] / 1000 if entry.waits else 0.0
            reply = await self._transport.call(request, call_id, timeout_s=self._timeout_s + waits_s)
            return read_answer(entry, reply, call_id)

        return call


def read_answer(entry: Method, reply: bytes, call_id: str) -> Any:
    """The result in `reply`; raises the method's own error, `CallError`, or `Unreachable` for what is no answer."""
    try:
        answer = envelope.parse_answer(reply)
        if answer.id != call_id:
            raise Malformed("the answer is to another call")
        if answer.fault is not None:
            raise entry.errors.from_fault(answer.fault) or CallError(answer.fault)
        return None if entry.result is None else entry.result.from_json(answer.result)
    except Malformed as fault:
        raise Unreachable(f"the server's answer to {entry.name} is not understood: {fault}") from fault


OnEnd = Callable[[float, Exception | None], None]
"""Hears that a call has ended: when it began, by `perf_counter`, and what it raised."""


def _unheard(_began: float, _fault: Exception | None) -> None:
    """Nobody listens."""


class Dispatcher:
    """Turns requests into calls of a service's implementation, and what comes of them into responses."""

    def __init__(
        self,
        service: Service,
        on_fault: Callable[[str, Exception], Fault] | None = None,
        on_end: Callable[[str], OnEnd] = lambda _: _unheard,
    ) -> None:
        """`on_fault` says what to answer where a method fails with anything but a `MethodError`; without it, that is raised.

        `on_end` gives, for a method's wire name, who hears of the ends of its calls.
        """
        self._table = {
            name: (entry, getattr(service, entry.attribute), on_end(name))
            for name, entry in type(service).methods.items()
        }
        self._on_fault = on_fault
        self._without_task = {
            entry.name for entry, implementation, *_ in self._table.values() if hasattr(implementation, _WITHOUT_TASK)
        }

    def needs_task(self, request: Request) -> bool:
        """Whether `answer` must be awaited in a task."""
        return request.method not in self._without_task

    async def answer(self, request: Request) -> bytes:
        """The response to `request`."""
        if request.version != "2.0":
            return envelope.render_fault(request.id, Fault(envelope.INVALID_REQUEST, "JSON-RPC version wrong"))
        found = self._table.get(request.method)
        if found is None:
            return envelope.render_fault(request.id, Fault(envelope.METHOD_NOT_FOUND, "Method not found"))
        entry, implementation, ended = found
        args: list[Any] = []
        for number, codec in enumerate(entry.params):
            try:
                args.append(codec.from_json(request.params[number]))
            except (Malformed, IndexError) as fault:
                ended(perf_counter(), fault)
                message = f"deserialization of argument {number} failed"
                return envelope.render_fault(request.id, Fault(envelope.METHOD_ERROR, message))
        call_id, called, began = request.id, implementation(*args), perf_counter()
        del request, args  # a call may wait for minutes, and thousands of them at once: they hold what they need
        try:
            result = await called
        except MethodError as error:
            ended(began, error)
            return envelope.render_fault(call_id, error.fault())
        except Exception as fault:
            ended(began, fault)
            if self._on_fault is None:
                raise
            return envelope.render_fault(call_id, self._on_fault(entry.name, fault))
        ended(began, None)
        if isinstance(result, msgspec.Raw) or entry.result is None:
            return envelope.render_result(call_id, result)
        return envelope.render_result(call_id, entry.result.to_json(result))
