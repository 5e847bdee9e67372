"""Bound the length of titles.

Revision ID: 0002
Revises: 0001
"""

from alembic import op
from alembic.util import CommandError

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

MAX_LENGTH = 1000

LONG_TITLES = f"""
SELECT count(*), (array_agg(id::text ORDER BY id))[:3] FROM calls WHERE char_length(title) > {MAX_LENGTH}
"""  # noqa: S608 - a constant


def upgrade() -> None:
    _refuse_long_titles()
    op.create_check_constraint(
        op.f("ck_calls_title_length"), "calls", f"char_length(title) <= {MAX_LENGTH}"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_calls_title_length"), "calls")


def _refuse_long_titles() -> None:
    """Raise CommandError if there are any: with a constraint NOT VALID no such row could change."""
    number, first = op.get_bind().exec_driver_sql(LONG_TITLES).one()
    if number:
        shown = ", ".join([*first, *(["…"] if number > len(first) else [])])
        raise CommandError(
            f"titles of more than {MAX_LENGTH} characters in {number} rows of calls ({shown}): "
            "shorten them, then migrate again"
        )
