"""`python -m server token`: prints an access token that the demo accepts."""

import click

from server.demo.folders import TOKENS
from server.demo.issuer import DAY, DemoIssuer


@click.command
@click.option("--scopes", default="", help="Scopes that it grants, separated by spaces.")
@click.option("--ttl", default=DAY, type=click.IntRange(min=1), help="Seconds for which it is good.")
def token(scopes: str, ttl: int) -> None:
    """Print an access token that the demo in this folder accepts."""
    click.echo(DemoIssuer(TOKENS).token(scopes.split(), ttl))
