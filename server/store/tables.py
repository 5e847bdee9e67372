"""The tables of the store, as the migrations make them."""

from sqlalchemy import CheckConstraint, Column, DateTime, MetaData, Table, Text, Uuid, func

from server.application.call import MAX_TITLE_LENGTH, CallStatus

metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s"}
)

NEWEST = {"newest": True}
"""The `info` of a nullable column that the newest migration adds: before that has run, null is read."""


def _timestamp(name: str, *, nullable: bool = True) -> Column[object]:
    default = None if nullable else func.now()
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default)


_TIMESTAMPS = (
    "scheduled_at",
    "started_at",
    "ended_at",
    "recording_ready_at",
    "created_at",
    "updated_at",
)

calls = Table(
    "calls",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("host_user_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    _timestamp("scheduled_at"),
    _timestamp("started_at"),
    _timestamp("ended_at"),
    Column("stream_call_id", Text),
    Column("stream_call_type", Text, nullable=False, server_default="livestream"),
    Column("recording_url", Text),
    _timestamp("recording_ready_at"),
    Column("status", Text, nullable=False, server_default=CallStatus.SCHEDULED),
    _timestamp("created_at", nullable=False),
    # A trigger sets it whenever a row changes; SET LOCAL livecalls.updated_at = 'given' keeps
    # what a transaction sets itself, as an import does.
    _timestamp("updated_at", nullable=False),
    CheckConstraint(f"status IN ({', '.join(f'{s.value!r}' for s in CallStatus)})", name="status"),
    CheckConstraint(f"char_length(title) <= {MAX_TITLE_LENGTH}", name="title_length"),
    # PostgreSQL also knows years before 1, beyond 9999 and infinity; RFC 3339 and protobuf do not.
    *(
        CheckConstraint(
            f"{name} >= '0001-01-01T00:00:00Z' AND {name} < '10000-01-01T00:00:00Z'", name=f"{name}_year"
        )
        for name in _TIMESTAMPS
    ),
)
