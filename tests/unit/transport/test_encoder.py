from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis.strategies import datetimes, just
from livecalls.v1 import live_calls_pb2 as pb

from server.application.call import LiveStatus
from server.transport.encoder import compile_encoder
from server.transport.live_calls import encode_call, encode_live_status
from tests.support.data.calls import FULL_CALL, MOMENT, PLAIN_CALL
from tests.support.data.documented import FIELDS, NULLABLE, TEXTS, TIMESTAMPS


@dataclass
class Named:
    id: str
    colour: str = "red"


def test_each_field_of_a_call_is_encoded_as_its_own() -> None:
    message = encode_call(FULL_CALL)
    assert {field.name for field, _ in message.ListFields()} == set(FIELDS)
    assert {name: getattr(message, name) for name in TEXTS} == {
        name: getattr(FULL_CALL, name) for name in TEXTS
    }
    for name in TIMESTAMPS:
        expected = Timestamp()
        expected.FromDatetime(getattr(FULL_CALL, name))
        assert getattr(message, name) == expected


@given(datetimes(timezones=just(UTC)))
def test_a_time_is_encoded_to_the_microsecond(moment: datetime) -> None:
    expected = Timestamp()
    expected.FromDatetime(moment)
    assert encode_call(replace(PLAIN_CALL, created_at=moment)).created_at == expected


def test_none_is_unset_and_an_empty_text_is_not() -> None:
    assert [name for name in NULLABLE if encode_call(PLAIN_CALL).HasField(name)] == []
    assert encode_call(replace(PLAIN_CALL, stream_call_id="")).HasField("stream_call_id")


def test_each_field_of_a_live_status_is_encoded_as_its_own() -> None:
    message = encode_live_status(LiveStatus(is_live=True, current_session_id="s", ended_at=MOMENT))
    assert (message.is_live, message.current_session_id) == (True, "s")
    assert message.ended_at == encode_call(PLAIN_CALL).created_at


def test_a_field_that_the_message_lacks_is_an_error() -> None:
    with pytest.raises(ValueError, match="colour"):
        compile_encoder(Named, pb.GetCallRequest)(Named("a"))
