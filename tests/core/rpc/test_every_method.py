"""Every method of both services, called as a client calls it and answered as a server answers (spec: rpc.md, directory.md)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire_strategies import SERVICES, few, json_values, method_types, values_of
from xirtam_core.errors import Refused, RetryLater
from xirtam_core.rpc import envelope
from xirtam_core.rpc.directory import Directory, DirectoryBusy, UpdateRejected
from xirtam_core.rpc.envelope import CallError, Fault
from xirtam_core.rpc.home_server import AccessDenied, HomeServer, ProxyNotSupported, ServerBusy, UpstreamFailed
from xirtam_core.rpc.service import Dispatcher, Method, MethodError, RawJson, Service
from xirtam_core.rpc.transports import LocalTransport

# Name and number of parameters, as the pages of the specification have them.
ROSTER: dict[type[Service], dict[str, int]] = {
    HomeServer: {
        "v1_device_auth": 2,
        "v1_device_certs": 1,
        "v1_device_medium_pks": 1,
        "v1_device_add_medium_pk": 2,
        "v1_profile": 1,
        "v1_profile_set": 2,
        "v1_register_group": 2,
        "v1_mailbox_send": 4,
        "v1_mailbox_multirecv": 2,
        "v1_mailbox_acl_edit": 3,
        "v1_proxy_server": 3,
        "v1_proxy_directory": 2,
        "v1_upload_frag": 3,
        "v1_download_frag": 1,
        "v1_server_info": 0,
        "v1_device_auth_start": 1,
        "v1_device_auth_finish": 4,
        "v1_redeem_invite": 2,
        "v1_mailbox_acl_list": 2,
    },
    Directory: {
        "v1_get_pow_seed": 0,
        "v1_get_anchor": 0,
        "v1_get_chunk": 1,
        "v1_get_headers": 2,
        "v1_get_item": 1,
        "v1_insert_update": 3,
    },
}
ERRORS: dict[type[Service], list[tuple[MethodError, dict[str, Any]]]] = {
    HomeServer: [
        (AccessDenied(), {"code": -1, "message": "access denied", "data": "access_denied"}),
        (ServerBusy(), {"code": -1, "message": "rate limited, retry later", "data": "retry_later"}),
        (ProxyNotSupported(), {"code": -1, "message": "proxying not supported", "data": "not_supported"}),
        (UpstreamFailed("gone"), {"code": -1, "message": 'upstream error: "gone"', "data": {"upstream": "gone"}}),
    ],
    Directory: [
        (DirectoryBusy(), {"code": -1, "message": "retry later", "data": "retry_later"}),
        (
            UpdateRejected("chunk not found"),
            {
                "code": -1,
                "message": "update rejected (reason: chunk not found)",
                "data": {"update_rejected": "chunk not found"},
            },
        ),
    ],
}
METHODS = [(service, entry) for service in SERVICES for entry in service.methods.values()]
every_method = pytest.mark.parametrize(("service", "entry"), METHODS, ids=[entry.name for _, entry in METHODS])


class Answering:
    """What a method was called with, and what it gives."""

    def __init__(self) -> None:
        self.called_with: tuple[Any, ...] = ()
        self.gives: Any = None

    async def __call__(self, *arguments: Any) -> Any:
        self.called_with = arguments
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives


def served(service: type[Service], entry: Method, answering: Answering) -> Dispatcher:
    """A dispatcher of an implementation whose method `entry` does what `answering` says."""

    async def implementation(_: Service, *arguments: Any) -> Any:
        return await answering(*arguments)

    return Dispatcher(type("Implementation", (service,), {entry.attribute: implementation})())


def stub(service: type[Service], entry: Method, dispatcher: Dispatcher) -> Any:
    return getattr(service.stub(LocalTransport(dispatcher)), entry.attribute)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_methods_of_its_page_with_as_many_parameters(service: type[Service]) -> None:
    assert {entry.name: len(entry.params) for entry in service.methods.values()} == ROSTER[service]


@every_method
@few
@given(data=st.data())
async def test_arguments_and_result_arrive_as_they_were_given(
    service: type[Service], entry: Method, data: st.DataObject
) -> None:
    params, result = method_types(service, entry.attribute)
    arguments = tuple(data.draw(values_of(param)) for param in params)
    answering = Answering()
    answering.gives = data.draw(values_of(result)) if entry.result is not None else None
    call = stub(service, entry, served(service, entry, answering))
    assert await call(*arguments) == answering.gives
    assert answering.called_with == arguments
    assert [type(argument) for argument in answering.called_with] == [type(argument) for argument in arguments]


@every_method
async def test_each_error_of_a_methods_service_travels_in_its_exact_form_and_is_raised_again(
    service: type[Service], entry: Method
) -> None:
    arguments = arguments_of(service, entry)
    answering = Answering()
    dispatcher = served(service, entry, answering)
    for error, form in ERRORS[service]:
        answering.gives = error
        request = envelope.Request("2.0", entry.name, as_json(entry, arguments), "req-1")
        assert json.loads(await dispatcher.answer(request)) == {"jsonrpc": "2.0", "error": form, "id": "req-1"}
        with pytest.raises(Refused) as caught:
            await stub(service, entry, dispatcher)(*arguments)
        assert type(caught.value) is type(error)
        assert str(caught.value) == str(error)
        assert isinstance(caught.value, RetryLater) is (form["data"] == "retry_later")


@every_method
async def test_an_error_that_is_not_the_methods_own_is_raised_with_all_that_came(
    service: type[Service], entry: Method
) -> None:
    class Foreign(MethodError):
        def fault(self) -> Fault:
            return fault

    answering = Answering()
    answering.gives = Foreign()
    arguments = arguments_of(service, entry)
    for fault in (
        Fault(-32601, "Method not found"),
        Fault(-1, "odd", "no_such_error"),
        Fault(-1, "odd", {"upstream": 1}),
    ):
        with pytest.raises(CallError) as caught:
            await stub(service, entry, served(service, entry, answering))(*arguments)
        assert caught.value.fault == fault


def arguments_of(service: type[Service], entry: Method) -> list[Any]:
    """Some arguments that the method takes."""
    found: list[Any] = []

    @given(data=st.data())
    @few
    def draw(data: st.DataObject) -> None:
        found[:] = [data.draw(values_of(param)) for param in method_types(service, entry.attribute)[0]]

    draw()
    return found


def as_json(entry: Method, arguments: list[Any]) -> list[Any]:
    return [codec.to_json(value) for codec, value in zip(entry.params, arguments, strict=True)]


@every_method
async def test_each_argument_that_is_missing_or_does_not_decode_is_named_by_its_number(
    service: type[Service], entry: Method
) -> None:
    answering = Answering()
    answering.gives = AssertionError("must not be called")
    dispatcher = served(service, entry, answering)
    good = as_json(entry, arguments_of(service, entry))
    params, _ = method_types(service, entry.attribute)
    for number, param in enumerate(params):
        cut = good[:number]
        spoilt = cut if param is RawJson else [*cut, {"no": "such"}, *good[number + 1 :]]
        for arguments in (cut, spoilt):
            reply = await dispatcher.answer(envelope.Request("2.0", entry.name, arguments, 7))
            error = {"code": -1, "message": f"deserialization of argument {number} failed", "data": None}
            assert json.loads(reply) == {"jsonrpc": "2.0", "error": error, "id": 7}


@every_method
async def test_arguments_beyond_the_last_are_passed_over(service: type[Service], entry: Method) -> None:
    answering = Answering()
    answering.gives = ERRORS[service][0][0]
    arguments = [*as_json(entry, arguments_of(service, entry)), None, {"more": 1}]
    await served(service, entry, answering).answer(envelope.Request("2.0", entry.name, arguments, "req-1"))
    assert len(answering.called_with) == len(entry.params)


@few
@given(request=json_values, answer=json_values)
async def test_what_is_proxied_passes_unread_in_both_directions(request: Any, answer: Any) -> None:
    class Proxy(HomeServer):
        async def proxy_directory(self, auth: Any, request: RawJson) -> RawJson:
            assert request.value == sent
            return RawJson(answer)

    sent = {"jsonrpc": "2.0", "method": "v1_get_item", "params": [request], "id": "x", "more": 2**64 - 1}
    params = ["00" * 20, sent]
    reply = await Dispatcher(Proxy()).answer(envelope.Request("2.0", "v1_proxy_directory", params, "req-1"))
    assert json.loads(reply) == {"jsonrpc": "2.0", "result": answer, "id": "req-1"}
