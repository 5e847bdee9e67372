"""The OpenAPI document, compared with the contract and with real replies."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.rpc import code_pb2
from jsonschema_rs import Draft202012Validator
from livecalls.v1 import live_calls_pb2 as pb

from gateway.config import GatewaySettings
from gateway.render import render
from gateway.rest_members import documented_members
from server.auth.errors import ScopesMissingError
from server.transport.errors import _OUTCOMES, to_status
from tests.support.data.documented import FIELDS, NULLABLE
from tests.support.data.golden import masked
from tests.support.data.openapi import OPENAPI
from tests.support.envoy.envoy_configuration import EnvoyConfiguration

GOLDEN = Path(__file__).parent / "golden"
DOCUMENT = yaml.safe_load(OPENAPI.read_text())
COMPONENTS = DOCUMENT["components"]
SCHEMAS = COMPONENTS["schemas"]
CALL, LIVE_STATUS = pb.Call.DESCRIPTOR, pb.LiveStatus.DESCRIPTOR
METHODS = pb.DESCRIPTOR.services_by_name["LiveCalls"].methods
TIMESTAMP = "google.protobuf.Timestamp"

# HTTP's statuses for gRPC's codes, as the transcoder gives them.
STATUSES = {
    code_pb2.UNAUTHENTICATED: "401",
    code_pb2.PERMISSION_DENIED: "403",
    code_pb2.NOT_FOUND: "404",
    code_pb2.RESOURCE_EXHAUSTED: "429",
    code_pb2.INTERNAL: "500",
    code_pb2.UNAVAILABLE: "503",
}


def test_the_operations_are_where_the_proto_has_them() -> None:
    rules = [method.GetOptions().Extensions[annotations_pb2.http] for method in METHODS]
    more = [binding.custom for rule in rules for binding in rule.additional_bindings]
    bindings = {("get", rule.get) for rule in rules} | {(each.kind.lower(), each.path) for each in more}
    operations = {
        (verb, path)
        for path, item in DOCUMENT["paths"].items()
        for verb in item
        if verb != "parameters" and path.startswith("/v1/")
    }
    assert operations == bindings


@pytest.mark.parametrize(
    ("message", "schema"),
    [(CALL, SCHEMAS["Call"]), (LIVE_STATUS, SCHEMAS["Call"]["properties"]["live"])],
    ids=["Call", "LiveStatus"],
)
def test_properties_are_the_fields_in_order(message: Descriptor, schema: Any) -> None:
    fields = [field.name for field in message.fields]
    assert list(schema["properties"]) == fields
    assert schema["required"] == fields


def test_the_gateway_prints_what_it_documents() -> None:
    nullable = [f"{name}?" if name in NULLABLE else name for name in FIELDS]
    assert documented_members() == {
        "CALL": " ".join([*nullable, "live?"]),
        "CALL_LIVE": "is_live current_session_id? ended_at?",
        "ERROR": "error message",
        "HEALTH": "status",
    }


@pytest.mark.parametrize(
    "field", [*CALL.fields, *LIVE_STATUS.fields], ids=lambda field: field.full_name.split(".", 2)[2]
)
def test_a_property_is_what_its_field_is(field: FieldDescriptor) -> None:
    schema = property_of(field)
    kind, *null = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    assert kind == expected_type(field)
    assert null == (["null"] if has_presence(field) else [])
    assert (schema.get("format") == "date-time") == is_time(field)


def test_the_words_of_status_are_those_of_the_enum() -> None:
    words = [
        value.name.removeprefix("CALL_STATUS_").lower()
        for value in pb.CallStatus.DESCRIPTOR.values
        if value.number
    ]
    assert SCHEMAS["Call"]["properties"]["status"]["enum"] == words


@pytest.mark.parametrize("name", COMPONENTS["examples"])
def test_a_call_shown_is_one_that_is_replied(name: str) -> None:
    call = COMPONENTS["examples"][name]["value"]
    text = json.dumps(call, ensure_ascii=False, separators=(",", ":"))
    assert masked(text) in (body(path) for path in GOLDEN.glob("call_*.txt"))


def test_every_sample_call_is_shown_and_can_be_asked_for() -> None:
    shown = {example["value"]["id"] for example in COMPONENTS["examples"].values()}
    path = DOCUMENT["paths"]["/v1/live/calls/{id}"]
    offered = {example["value"] for example in path["parameters"][0]["examples"].values()}
    assert shown == offered
    examples = path["get"]["responses"]["200"]["content"]["application/json"]["examples"].values()
    assert [each["$ref"].rpartition("/")[2] for each in examples] == list(COMPONENTS["examples"])


def test_an_error_shown_is_one_that_is_replied() -> None:
    assert errors_shown() <= errors_of_the_server() | errors_of_the_gateway()


def test_every_error_of_the_server_is_shown() -> None:
    # Over REST a request has an id, and is well-formed.
    assert errors_of_the_server() <= errors_shown()


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        *((SCHEMAS["Call"], example["value"]) for example in COMPONENTS["examples"].values()),
        *(
            (SCHEMAS["Error"], example["value"])
            for reply in COMPONENTS["responses"].values()
            for example in reply["content"]["application/json"]["examples"].values()
        ),
    ],
)
def test_an_example_fits_its_schema(schema: Any, example: Any) -> None:
    # The dialect of OpenAPI 3.1.
    Draft202012Validator(schema, validate_formats=True).validate(example)


def property_of(field: FieldDescriptor) -> Any:
    schema = SCHEMAS["Call"]["properties"]
    return (schema["live"]["properties"] if field.containing_type == LIVE_STATUS else schema)[field.name]


def expected_type(field: FieldDescriptor) -> str:
    if field.type == FieldDescriptor.TYPE_BOOL:
        return "boolean"
    return "object" if field.message_type and not is_time(field) else "string"


def has_presence(field: FieldDescriptor) -> bool:
    # Messages always have presence; only the comments specify that these two are always set.
    return field.has_presence and field.name not in ("created_at", "updated_at")


def is_time(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name == TIMESTAMP


def body(golden: Path) -> str:
    return golden.read_text().rstrip("\n").rpartition("\n\n")[2]


def errors_shown() -> set[tuple[str, str, str]]:
    """List the errors of the document: status, word, message."""
    replies = DOCUMENT["paths"]["/v1/live/calls/{id}"]["get"]["responses"]
    return {
        (status, example["value"]["error"], example["value"]["message"])
        for status, reply in replies.items()
        if "$ref" in reply
        for example in component(reply)["content"]["application/json"]["examples"].values()
    }


def component(reference: dict[str, str]) -> Any:
    return COMPONENTS["responses"][reference["$ref"].rpartition("/")[2]]


def errors_of_the_server() -> set[tuple[str, str, str]]:
    """List the server's errors, as the transcoder maps them."""
    errors: list[Exception] = [Exception(), *map(example_of, _OUTCOMES)]
    statuses = [to_status(error, "request") for error in errors]
    return {
        (STATUSES[status.code], code_pb2.Code.Name(status.code).lower(), status.message)
        for status in statuses
        if status.code != code_pb2.INVALID_ARGUMENT  # which no request by REST gets
    }


def example_of(kind: type[Exception]) -> Exception:
    if kind is ScopesMissingError:
        return ScopesMissingError(frozenset({"calls:read"}), None)
    try:
        return kind()
    except TypeError:
        return kind(frozenset({"calls:read"}))


def errors_of_the_gateway() -> set[tuple[str, str, str]]:
    """List Envoy's own errors, as in its configuration."""
    mappers = EnvoyConfiguration(render(GatewaySettings(), {})).http["local_reply_config"]["mappers"]
    return {
        (
            str(mapper.get("status_code") or status_of(mapper["filter"])),
            body["error"],
            body["message"],
        )
        for mapper in mappers
        if "error" in (body := mapper["body_format_override"].get("json_format", {}))
    }


def status_of(condition: dict[str, Any]) -> int:
    """Return the status that a filter of replies is for."""
    return int(condition["status_code_filter"]["comparison"]["value"]["default_value"])
