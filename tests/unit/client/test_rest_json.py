import json
from datetime import UTC, datetime

import pytest
from livecalls.v1 import live_calls_pb2 as pb

from client.caller import ServiceFailedError
from client.rest_json import parse, to_json
from tests.support.data.documented import FIELDS

MOMENT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
CALL = pb.Call(id="a", status=pb.CALL_STATUS_ENDED, created_at=MOMENT, updated_at=MOMENT)
WORDS = ["scheduled", "live", "ended", "errored"]


def test_what_is_unset_is_null_and_all_keys_stand_in_the_documented_order() -> None:
    values = {
        **dict.fromkeys(FIELDS),
        "id": "a",
        "host_user_id": "",
        "title": "",
        "stream_call_type": "",
        "status": "ended",
        "created_at": "2026-05-04T03:02:01Z",
        "updated_at": "2026-05-04T03:02:01Z",
        "live": None,
    }
    assert to_json(CALL) == json.dumps(values, separators=(",", ":"))
    assert to_json(CALL).startswith('{"id":"a","host_user_id":"","title":"","scheduled_at":null,')


def test_what_is_set_and_empty_is_not_null() -> None:
    call = pb.Call(stream_call_id="", live=pb.LiveStatus(current_session_id=""))
    values = json.loads(to_json(call))
    assert values["stream_call_id"] == ""
    assert values["live"] == {"is_live": False, "current_session_id": "", "ended_at": None}


@pytest.mark.parametrize(
    ("microsecond", "printed"),
    [(0, "01Z"), (120_000, "01.120Z"), (123_456, "01.123456Z"), (1, "01.000001Z")],
)
def test_times_have_the_digits_they_need(microsecond: int, printed: str) -> None:
    call = pb.Call(ended_at=MOMENT.replace(microsecond=microsecond))
    assert json.loads(to_json(call))["ended_at"] == f"2026-05-04T03:02:{printed}"


@pytest.mark.parametrize(("number", "word"), [*enumerate(["unknown", *WORDS]), (99, "unknown")])
def test_a_status_is_its_word_and_one_of_next_year_is_unknown(number: int, word: str) -> None:
    call = pb.Call()
    call.MergeFromString(bytes([11 << 3, number]))
    assert json.loads(to_json(call))["status"] == word


@pytest.mark.parametrize(
    ("title", "printed"),
    [
        ('"\\/\b\f\n\r\t', r"\"\\/\b\f\n\r\t"),
        ("\x01\x1b\x7f\x9b", r"\u0001\u001b\u007f\u009b"),
        ("<b>&amp;", r"\u003cb\u003e&amp;"),
        ("\u202e\u2028\ufeff\u200d", r"\u202e\u2028\ufeff\u200d"),
        ("\U000e0041\U0001d173", r"\udb40\udc41\ud834\udd73"),
        ("утренняя 朝 🧘 \u2066", "утренняя 朝 🧘 \u2066"),
    ],
)
def test_strings_are_escaped_as_envoy_does(title: str, printed: str) -> None:
    text = to_json(pb.Call(title=title))
    assert f'"title":"{printed}"' in text
    assert json.loads(text)["title"] == title


def test_members_are_read_back() -> None:
    assert parse(to_json(CALL))["status"] == "ended"


@pytest.mark.parametrize(
    "text",
    [
        *("", "<html>", "[]", "null", "{}", "[" * 100_000),
        to_json(CALL).replace('"title":"",', ""),
        to_json(CALL).replace('"live":null', '"live":true'),
        to_json(CALL).replace('"live":null', '"live":{"is_live":true}'),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_call_is_refused(text: str) -> None:
    with pytest.raises(ServiceFailedError):
        parse(text)
