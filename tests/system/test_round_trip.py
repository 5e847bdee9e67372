"""Any row that the database can hold: store, proto, Envoy, JSON, and the documented schema."""

import re
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, given, settings

from server.application.call import Call
from server.store.bulk import store_calls
from tests.support.data.any_call import any_call
from tests.support.data.documented import FIELDS, SCHEMAS
from tests.support.server.stack import Stack

CALL = jsonschema_rs.validator_for(SCHEMAS["Call"], validate_formats=True)
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z", re.ASCII)


@given(call=any_call)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_row_comes_out_of_the_rest_face_as_it_went_in(stack: Stack, call: Call) -> None:
    store_calls(stack.postgres.url, [call])

    reply = stack.get(call.id)

    body = reply.json()
    assert reply.status == 200
    assert list(body) == [*FIELDS, "live"]
    CALL.validate(body)
    assert {key: value for key, value in body.items() if key != "live"} == {
        key: as_documented(getattr(call, key), body[key]) for key in FIELDS
    }


def as_documented(value: Any, shown: Any) -> Any:
    """Convert a value to JSON; a timestamp to whichever documented form means it."""
    if not isinstance(value, datetime):
        return None if value is None else str(value)
    assert RFC_3339.fullmatch(shown)
    return shown if datetime.fromisoformat(shown).astimezone(UTC) == value else value.isoformat()
