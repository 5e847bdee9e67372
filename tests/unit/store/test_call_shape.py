import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from server.store.call_shape import BadLineError, read_call
from server.store.rows import FIELDS
from tests.support.data import documented
from tests.support.data.calls import CALL_ID, MOMENT, PLAIN_CALL
from tests.support.machine.commands import line, lines

NO_DATE_TIME = "must be an RFC 3339 date-time with its offset, such as 2026-05-04T03:02:01Z"
NO_SUCH_TIME = "must be a date and a time that exist, in the years 1 to 9999"
NO_STATUS = "must be one of scheduled, live, ended, errored"
NO_ID = "must be a UUID of 36 characters"


def refusal(content: bytes) -> str:
    with pytest.raises(BadLineError) as raised:
        read_call(content)
    return str(raised.value)


def without(name: str) -> bytes:
    values = json.loads(line())
    del values[name]
    return json.dumps(values).encode()


def test_the_stored_fields_are_the_documented_ones_in_their_order() -> None:
    assert FIELDS == documented.FIELDS


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_must_be_there(name: str) -> None:
    assert refusal(without(name)) == f"{name}: is missing"


@pytest.mark.parametrize("name", documented.NULLABLE)
def test_what_may_be_null_may_be_null(name: str) -> None:
    assert getattr(read_call(line(**{name: None})), name) is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("id", NO_ID),
        ("host_user_id", "must be a string"),
        ("title", "must be a string"),
        ("stream_call_type", "must be a string"),
        ("status", NO_STATUS),
        ("created_at", NO_DATE_TIME),
        ("updated_at", NO_DATE_TIME),
    ],
)
def test_what_is_never_null_must_not_be_null(name: str, message: str) -> None:
    assert refusal(line(**{name: None})) == f"{name}: {message}"


@pytest.mark.parametrize(
    "live", [None, True, {"is_live": "perhaps"}, {"current_session_id": "\ud800"}, [[1]]]
)
def test_live_is_ignored_whatever_it_holds(live: Any) -> None:
    assert read_call(line(live=live)) == PLAIN_CALL


def test_live_may_even_hold_a_key_twice() -> None:
    content = lines(PLAIN_CALL).replace(b"}\n", b',"live":{"ended_at":1,"ended_at":2}}')
    assert read_call(content) == PLAIN_CALL


def test_empty_texts_are_texts() -> None:
    call = read_call(line(host_user_id="", title="", stream_call_type="", stream_call_id=""))
    assert (call.host_user_id, call.title, call.stream_call_type, call.stream_call_id) == ("",) * 4


def test_an_id_may_be_in_upper_case() -> None:
    assert read_call(line(id=str(CALL_ID).upper())).id == CALL_ID


@pytest.mark.parametrize(
    "value", ["", CALL_ID.replace("-", ""), f"{{{CALL_ID}}}", f"urn:uuid:{CALL_ID}", f"{CALL_ID}\n", 1]
)
def test_an_id_in_another_form_is_refused(value: Any) -> None:
    assert refusal(line(id=value)) == f"id: {NO_ID}"


@pytest.mark.parametrize("value", ["", "Live", "LIVE", "paused", " live", ["live"], {}, 1])
def test_any_other_status_is_refused(value: Any) -> None:
    assert refusal(line(status=value)) == f"status: {NO_STATUS}"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1, "must be a string"),
        (True, "must be a string"),
        (["Yoga"], "must be a string"),
        ("Yo\0ga", "must not hold NUL (U+0000)"),
        ("\ud83e", "must not hold half of a surrogate pair"),
        ("\udddf\ud83e", "must not hold half of a surrogate pair"),
    ],
)
@pytest.mark.parametrize("name", documented.TEXTS)
def test_texts_that_postgresql_cannot_hold_are_refused(name: str, value: Any, message: str) -> None:
    assert refusal(line(**{name: value})) == f"{name}: {message}"


def test_an_escaped_surrogate_pair_is_one_character() -> None:
    assert read_call(line(title="🧘")).title == "🧘"
    assert b"\\ud83e\\uddd8" in line(title="🧘")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-04T03:02:01.123456Z", MOMENT),
        ("2026-05-04t03:02:01.123456z", MOMENT),
        ("2026-05-04T05:32:01.123456+02:30", MOMENT),
        ("2026-05-04T03:02:01.123456-00:00", MOMENT),
        ("2026-05-04T03:02:01.123456999Z", MOMENT),
        ("2026-05-04T03:02:01.1Z", MOMENT.replace(microsecond=100_000)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_date_times_are_read_with_any_offset_to_the_microsecond(text: str, moment: datetime) -> None:
    assert read_call(line(ended_at=text)) == replace(PLAIN_CALL, ended_at=moment)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("2026-05-04T03:02:01", NO_DATE_TIME),
        ("2026-05-04 03:02:01Z", NO_DATE_TIME),
        ("2026-05-04T03:02Z", NO_DATE_TIME),
        ("2026-05-04T03:02:01.Z", NO_DATE_TIME),
        ("2026-05-04T03:02:01,5Z", NO_DATE_TIME),
        ("2026-05-04T03:02:01+0200", NO_DATE_TIME),
        ("2026-05-04T03:02:01+24:00", NO_DATE_TIME),
        ("2026-05-04T03:02:01+00:60", NO_DATE_TIME),
        ("2026-W19-1T03:02:01Z", NO_DATE_TIME),
        ("20260504T030201Z", NO_DATE_TIME),
        ("2026-05-04", NO_DATE_TIME),
        ("٢٠٢٦-05-04T03:02:01Z", NO_DATE_TIME),
        ("+10000-01-01T00:00:00Z", NO_DATE_TIME),
        ("", NO_DATE_TIME),
        (1777863721, NO_DATE_TIME),
        ("2026-02-29T00:00:00Z", NO_SUCH_TIME),
        ("2026-05-04T24:00:00Z", NO_SUCH_TIME),
        ("2026-05-04T23:59:60Z", NO_SUCH_TIME),
        ("0000-12-31T23:59:59Z", NO_SUCH_TIME),
        ("0001-01-01T00:00:00+00:01", "must be in the years 1 to 9999, in UTC"),
        ("9999-12-31T23:59:59-00:01", "must be in the years 1 to 9999, in UTC"),
    ],
)
@pytest.mark.parametrize("name", ["ended_at", "created_at"])
def test_other_date_times_are_refused(name: str, value: Any, message: str) -> None:
    assert refusal(line(**{name: value})) == f"{name}: {message}"


def test_unknown_keys_are_refused() -> None:
    assert refusal(line(colour="red")) == '"colour": is no field of a call'


def test_a_key_that_stands_twice_is_refused() -> None:
    content = lines(PLAIN_CALL).replace(b"}\n", b',"title":"Pilates"}')
    assert refusal(content) == "title: stands there more than once"


def test_a_key_with_half_of_a_surrogate_pair_is_refused() -> None:
    assert refusal(line(**{"\ud800": 1})) == "has a key with half of a surrogate pair"


def test_keys_are_shown_shortened_and_without_what_a_terminal_obeys() -> None:
    assert refusal(line(**{"\x1b[2J" + "x" * 99: 1})) == (
        '"\\u001b[2J' + "x" * 36 + '\\u2026": is no field of a call'
    )


def test_of_many_problems_some_are_told() -> None:
    assert refusal(line(status=1, title=1)) == f"title: must be a string; status: {NO_STATUS}"
    first = "id: is missing; host_user_id: is missing; title: is missing"
    assert refusal(b"{}") == f"{first}; and {len(FIELDS) - 3} more"


def test_values_are_not_shown() -> None:
    secret = "do not show"  # noqa: S105 - none
    assert secret not in refusal(line(**{name: secret for name in FIELDS if name != "title"}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not JSON: Expecting property name enclosed in double quotes, at character 2"),
        (b'{"a":"\x01"}', "is not JSON: Invalid control character, at character 7"),
        (b"{} {}", "is not JSON: Extra data, at character 4"),
        (b'{"title":NaN}', "is not JSON: NaN"),
        (b'{"title":"\xff"}', "is not UTF-8, at byte 11"),
        (b'{"title":"\xed\xa0\x80"}', "is not UTF-8, at byte 11"),
        ("{}".encode("utf-16"), "is not UTF-8, at byte 1"),
        (b"[]", "is not a JSON object"),
        (b"null", "is not a JSON object"),
        (b'"title"', "is not a JSON object"),
        (b"9" * 10_000, "is not a JSON object"),
        (b"[" * 100_000, "is nested too deep"),
        (b'{"live":' * 100_000, "is nested too deep"),
    ],
)
def test_what_is_no_json_object_is_refused(content: bytes, message: str) -> None:
    assert refusal(content) == message
