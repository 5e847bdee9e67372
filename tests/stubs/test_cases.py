"""The cases leave nothing out that the contract has."""

from collections import Counter
from typing import Any

import grpc
from livecalls.v1 import live_calls_pb2 as pb

from server.transport.errors import _OUTCOMES
from tests.stubs.cases import CALLS, all_cases, seen

NULLABLE = {field.name for field in pb.Call.DESCRIPTOR.fields if field.has_presence}
ALWAYS_SET = {"created_at", "updated_at"}

ERRORS = [case.expect["error"] for case in all_cases() if "error" in case.expect]


def test_each_has_a_name_of_its_own() -> None:
    assert set(Counter(case.name for case in all_cases()).values()) == {1}


def test_every_status_is_seen() -> None:
    statuses = {seen(row)["status"] for row in CALLS.values()}
    assert statuses == set(pb.CallStatus.keys()) - {"CALL_STATUS_UNSPECIFIED"}


def test_what_may_be_null_is_seen_so_and_set() -> None:
    assert null_and_set(list(CALLS.values())) == NULLABLE - ALWAYS_SET
    assert null_and_set([row["live"] for row in CALLS.values() if row["live"]]) == {
        field.name for field in pb.LiveStatus.DESCRIPTOR.fields if field.has_presence
    }


def null_and_set(messages: list[dict[str, Any]]) -> set[str]:
    return {name for name in messages[0] if len({message[name] is None for message in messages}) == 2}


def test_every_code_is_seen() -> None:
    codes = {error["code"] for error in ERRORS}
    assert codes == {code.name for code in grpc.StatusCode} - {"OK"}


def test_every_reason_of_the_service_is_seen() -> None:
    reasons = {reason for _, reason in _OUTCOMES.values()} | {"INTERNAL_FAULT"}
    assert reasons <= {error.get("reason") for error in ERRORS}
