import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CallStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALL_STATUS_UNSPECIFIED: _ClassVar[CallStatus]
    CALL_STATUS_SCHEDULED: _ClassVar[CallStatus]
    CALL_STATUS_LIVE: _ClassVar[CallStatus]
    CALL_STATUS_ENDED: _ClassVar[CallStatus]
    CALL_STATUS_ERRORED: _ClassVar[CallStatus]
CALL_STATUS_UNSPECIFIED: CallStatus
CALL_STATUS_SCHEDULED: CallStatus
CALL_STATUS_LIVE: CallStatus
CALL_STATUS_ENDED: CallStatus
CALL_STATUS_ERRORED: CallStatus

class Call(_message.Message):
    __slots__ = ("id", "host_user_id", "title", "scheduled_at", "started_at", "ended_at", "stream_call_id", "stream_call_type", "recording_url", "recording_ready_at", "status", "created_at", "updated_at", "live")
    ID_FIELD_NUMBER: _ClassVar[int]
    HOST_USER_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_AT_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    STREAM_CALL_ID_FIELD_NUMBER: _ClassVar[int]
    STREAM_CALL_TYPE_FIELD_NUMBER: _ClassVar[int]
    RECORDING_URL_FIELD_NUMBER: _ClassVar[int]
    RECORDING_READY_AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    id: str
    host_user_id: str
    title: str
    scheduled_at: _timestamp_pb2.Timestamp
    started_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    stream_call_id: str
    stream_call_type: str
    recording_url: str
    recording_ready_at: _timestamp_pb2.Timestamp
    status: CallStatus
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    live: LiveStatus
    def __init__(self, id: _Optional[str] = ..., host_user_id: _Optional[str] = ..., title: _Optional[str] = ..., scheduled_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stream_call_id: _Optional[str] = ..., stream_call_type: _Optional[str] = ..., recording_url: _Optional[str] = ..., recording_ready_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[CallStatus, str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., live: _Optional[_Union[LiveStatus, _Mapping]] = ...) -> None: ...

class LiveStatus(_message.Message):
    __slots__ = ("is_live", "current_session_id", "ended_at")
    IS_LIVE_FIELD_NUMBER: _ClassVar[int]
    CURRENT_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    is_live: bool
    current_session_id: str
    ended_at: _timestamp_pb2.Timestamp
    def __init__(self, is_live: _Optional[bool] = ..., current_session_id: _Optional[str] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetCallRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...
