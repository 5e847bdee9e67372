"""Make the table of calls.

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

MOMENT = sa.DateTime(timezone=True)
MOMENTS = ("scheduled_at", "started_at", "ended_at", "recording_ready_at", "created_at", "updated_at")

KEEP_UPDATED_AT = """
CREATE FUNCTION calls_keep_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('livecalls.updated_at', true) IS DISTINCT FROM 'given' THEN
        NEW.updated_at := clock_timestamp();
    END IF;
    RETURN NEW;
END
$$
"""

ON_UPDATE = """
CREATE TRIGGER calls_keep_updated_at BEFORE UPDATE ON calls
FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION calls_keep_updated_at()
"""


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("host_user_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("scheduled_at", MOMENT),
        sa.Column("started_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("stream_call_id", sa.Text()),
        sa.Column("stream_call_type", sa.Text(), server_default="livestream", nullable=False),
        sa.Column("recording_url", sa.Text()),
        sa.Column("recording_ready_at", MOMENT),
        sa.Column("status", sa.Text(), server_default="scheduled", nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        sa.CheckConstraint(
            "status IN ('scheduled', 'live', 'ended', 'errored')", name=op.f("ck_calls_status")
        ),
        *(_year_constraint(name) for name in MOMENTS),
    )
    op.execute(KEEP_UPDATED_AT)
    op.execute(ON_UPDATE)


def downgrade() -> None:
    op.drop_table("calls")
    op.execute("DROP FUNCTION calls_keep_updated_at()")


def _year_constraint(name: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        f"{name} >= '0001-01-01T00:00:00Z' AND {name} < '10000-01-01T00:00:00Z'",
        name=op.f(f"ck_calls_{name}_year"),
    )
