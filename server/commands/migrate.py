"""`python -m server migrate`: brings the database's schema to a revision."""

import click

from server.commands.errors import load_database_url, report_errors
from server.store.migrate import current_revision, downgrade, head_revision, upgrade


@click.command
@click.option("--to", metavar="REVISION", help="Migrate up to this revision.  [default: the newest]")
@click.option(
    "--down", metavar="REVISION", help="Downgrade to this one, losing data; base drops everything."
)
def migrate(to: str | None, down: str | None) -> None:
    """Migrate the schema of the database to the newest revision, or to another."""
    if to and down:
        raise click.UsageError("--to and --down exclude each other")
    url = load_database_url()
    with report_errors():
        before = current_revision(url)
        if down:
            downgrade(url, down)
        else:
            upgrade(url, to or "head")
        after = current_revision(url)
        click.echo(_outcome(before, after))


def _outcome(before: str | None, after: str | None) -> str:
    if before != after:
        return f"migrated from {before or 'nothing'} to {_name(after)}"
    return f"already at {_name(after)}"


def _name(revision: str | None) -> str:
    if revision is None:
        return "nothing"
    return f"{revision} (head)" if revision == head_revision() else revision
