"""`python -m demo token`: prints an access token that the demo accepts."""

import click

from demo.issuer import DAY
from demo.kind_option import kind_option
from demo.token_kind import TokenKind, read_kind


@click.command
@click.option("--scopes", default="", help="Scopes that it grants, separated by spaces.")
@click.option("--ttl", default=DAY, type=click.IntRange(min=1), help="Seconds until it expires.")
@kind_option("Its kind: jwt, or opaque.  [default: what the demo in this folder accepts]")
def token(scopes: str, ttl: int, tokens: TokenKind | None) -> None:
    """Print an access token that the demo in this folder accepts."""
    click.echo((tokens or read_kind()).issue(scopes.split(), ttl))
