"""Response bodies as of Stream's API v2: whole envelopes, dates in Unix nanoseconds."""

from typing import Any

from demo.stream_stand_in.endpoints import Fault
from demo.stream_stand_in.items import Item
from demo.stream_stand_in.stand_in import KnownCall, State

Body = dict[str, Any]
"""A good response, or one in which single items are wrong."""

_MINUTE_NS = 60 * 10**9
_ON_AIR = {State.ON_AIR, State.ON_AIR_AGAIN}
_WAS_LIVE = _ON_AIR | {State.ENDED}
_BEGUN = _WAS_LIVE | {State.BACKSTAGE}
_DURATION = "10.89ms"
DEFAULT_MEMBERS = 25


def call_item(call: KnownCall, members_limit: int = DEFAULT_MEMBERS) -> Item:
    """Return what Stream says of a call, with so many of its members at most."""
    return {
        "call": _call(call),
        "members": [_member(call)][:members_limit],
        "own_capabilities": ["end-call", "join-backstage", "join-call", "read-call", "update-call"],
    }


def get_call_body(item: Item) -> Body:
    """Return GetCall's response about one call."""
    return item | {"duration": _DURATION}


def query_calls_body(items: list[Item], cursors: dict[str, str]) -> Body:
    """Return QueryCalls' response about so many calls, with cursors as `next` and `prev`."""
    return {"calls": items, **cursors, "duration": _DURATION}


def error_body(fault: Fault) -> Body:
    """Write Stream's error envelope."""
    return {
        "code": fault.code,
        "message": fault.message,
        "StatusCode": fault.status,
        "duration": "0.00ms",
        "more_info": "https://getstream.io/chat/docs/api_errors_response",
        "details": [],
    }


def _call(call: KnownCall) -> dict[str, Any]:
    return {
        "type": call.type,
        "id": call.id,
        "cid": call.cid,
        "current_session_id": call.session_id,
        "created_by": _host(call),
        "custom": {"series": "mornings"},
        "created_at": call.since_ns - 60 * _MINUTE_NS,
        "updated_at": call.since_ns,
        "recording": call.state in _ON_AIR,
        "transcribing": False,
        "captioning": False,
        "translating": False,
        "ended_at": _ended_at(call),
        "starts_at": call.since_ns - 20 * _MINUTE_NS,
        "backstage": call.state in {State.NOT_STARTED, State.BACKSTAGE},
        "settings": _settings(),
        "blocked_user_ids": [],
        "ingress": {
            "rtmp": {"address": "rtmps://ingress.example.com:443/live"},
            "srt": {"address": "srt://ingress.example.com:9000"},
            "whip": {"address": "https://ingress.example.com/whip"},
        },
        "session": _session(call) if call.state in _BEGUN else None,
        "egress": {"broadcasting": call.state in _ON_AIR, "hls": None, "rtmps": []},
        "thumbnails": None,
        "join_ahead_time_seconds": 0,
    }


def _ended_at(call: KnownCall) -> int | None:
    if call.state is State.ON_AIR_AGAIN:
        return call.since_ns - 60 * _MINUTE_NS
    return call.since_ns if call.state is State.ENDED else None


def _session(call: KnownCall) -> dict[str, Any]:
    ended_at = call.since_ns if call.state is State.ENDED else None
    live_started_at = call.since_ns - 10 * _MINUTE_NS if call.state in _WAS_LIVE else None
    return {
        "id": call.session_id,
        "started_at": call.since_ns - 20 * _MINUTE_NS,
        "ended_at": ended_at,
        "participants": [] if call.state is State.ENDED else [_participant(call)],
        "participants_count_by_role": {} if call.state is State.ENDED else {"host": 1},
        "anonymous_participant_count": 0,
        "rejected_by": {},
        "accepted_by": {},
        "missed_by": {},
        "live_started_at": live_started_at,
        "live_ended_at": ended_at,
        "timer_ends_at": None,
    }


def _participant(call: KnownCall) -> dict[str, Any]:
    return {
        "user": _host(call),
        "user_session_id": call.session_id,
        "role": "host",
        "joined_at": call.since_ns - 20 * _MINUTE_NS,
    }


def _member(call: KnownCall) -> dict[str, Any]:
    created_at = call.since_ns - 60 * _MINUTE_NS
    return {
        "user": _host(call),
        "user_id": "coach-7",
        "role": "host",
        "custom": {},
        "created_at": created_at,
        "updated_at": created_at,
        "deleted_at": None,
    }


def _host(call: KnownCall) -> dict[str, Any]:
    return {
        "id": "coach-7",
        "name": "Coach Seven",
        "language": "",
        "role": "user",
        "teams": [],
        "custom": {},
        "created_at": call.since_ns - 9000 * _MINUTE_NS,
        "updated_at": call.since_ns - 900 * _MINUTE_NS,
        "deleted_at": None,
        "last_active": call.since_ns,
        "banned": False,
        "shadow_banned": False,
        "invisible": False,
        "online": True,
        "blocked_user_ids": [],
    }


def _settings() -> dict[str, Any]:
    layout = {"name": "spotlight", "external_app_url": "", "external_css_url": ""}
    resolution = {"width": 1280, "height": 720, "bitrate": 1500000}
    switch = {"enabled": True, "access_request_enabled": True}
    return {
        "audio": {
            "access_request_enabled": True,
            "opus_dtx_enabled": True,
            "redundant_coding_enabled": True,
            "hifi_audio_enabled": False,
            "mic_default_on": True,
            "speaker_default_on": True,
            "default_device": "speaker",
        },
        "backstage": {"enabled": True, "join_ahead_time_seconds": 300},
        "broadcasting": {
            "enabled": True,
            "hls": {"auto_on": False, "enabled": True, "quality_tracks": ["720p"], "layout": layout},
            "rtmp": {"enabled": True, "quality": "720p", "layout": layout},
        },
        "encryption": {"mode": "disabled"},
        "frame_recording": {"capture_interval_in_seconds": 5, "mode": "disabled", "quality": "720p"},
        "geofencing": {"names": []},
        "individual_recording": {"mode": "disabled"},
        "limits": {
            "max_participants": None,
            "max_duration_seconds": None,
            "max_participants_exclude_roles": [],
        },
        "raw_recording": {"mode": "disabled"},
        "recording": {"audio_only": False, "mode": "available", "quality": "720p", "layout": layout},
        "ring": {
            "incoming_call_timeout_ms": 10000,
            "auto_cancel_timeout_ms": 10000,
            "missed_call_timeout_ms": 13000,
        },
        "screensharing": switch | {"target_resolution": None},
        "session": {"inactivity_timeout_seconds": 30},
        "thumbnails": {"enabled": False},
        "transcription": {
            "mode": "disabled",
            "closed_caption_mode": "disabled",
            "language": "auto",
            "languages": [],
        },
        "video": switch
        | {"target_resolution": resolution, "camera_default_on": True, "camera_facing": "front"},
    }
