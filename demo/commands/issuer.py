"""Runs the demo's issuer of opaque tokens as a process of its own."""

import click

from demo.folders import OPAQUE_TOKENS
from demo.introspection import issuer_application
from demo.opaque_issuer import Client
from demo.opaque_tokens import OpaqueTokens
from demo.playing import play, port_option


@click.command
@port_option
@click.option("--client-id", envvar="AUTH_INTROSPECTION_CLIENT_ID", required=True)
@click.option("--client-secret", envvar="AUTH_INTROSPECTION_CLIENT_SECRET", required=True)
def issuer(port: int, client_id: str, client_secret: str) -> None:
    """Serve introspection and revocation of this folder's opaque demo tokens on 127.0.0.1.

    POST /v1/oauth/introspect (RFC 7662) is for the client whose credentials are given, best by the
    variables that a server reads them from; POST /v1/oauth/revoke (RFC 7009) for whoever has a token.
    """
    application = issuer_application(OpaqueTokens(OPAQUE_TOKENS), Client(client_id, client_secret))
    play("Issuer", application, port)
