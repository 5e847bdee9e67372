"""The demo's issuer as a web application: introspection (RFC 7662) and revocation (RFC 7009)."""

import hmac
from http import HTTPStatus
from urllib.parse import unquote_plus

from aiohttp import BasicAuth, web

from demo.opaque_issuer import INTROSPECT, REVOKE, Client
from demo.opaque_tokens import OpaqueTokens

_TOKENS = web.AppKey("tokens", OpaqueTokens)
_CLIENT = web.AppKey("client", Client)
_NOT_STORED = {"Cache-Control": "no-store"}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="demo"'}


def issuer_application(tokens: OpaqueTokens, client: Client) -> web.Application:
    """Make the web application of an issuer, at which one client may introspect its tokens."""
    application = web.Application()
    application[_TOKENS], application[_CLIENT] = tokens, client
    application.add_routes([web.post(INTROSPECT, _introspect), web.post(REVOKE, _revoke)])
    return application


async def _introspect(request: web.Request) -> web.Response:
    if not _is_client(request):
        return _error(HTTPStatus.UNAUTHORIZED, "invalid_client", "Client credentials are wrong.")
    text = await _token(request)
    if text is None:
        return _error(HTTPStatus.BAD_REQUEST, "invalid_request", "A token is required.")
    token = request.app[_TOKENS].find(text)
    answer = {"active": True, **token.model_dump()} if token else {"active": False}
    return web.json_response(answer, headers=_NOT_STORED)


async def _revoke(request: web.Request) -> web.Response:
    """Revoke for any bearer of the token: the demo's callers are public clients, without a secret."""
    text = await _token(request)
    if text is None:
        return _error(HTTPStatus.BAD_REQUEST, "invalid_request", "A token is required.")
    request.app[_TOKENS].revoke(text)
    return web.Response(headers=_NOT_STORED)


def _is_client(request: web.Request) -> bool:
    """Check the credentials, each of which is form-encoded within HTTP Basic (RFC 6749, 2.3.1)."""
    try:
        shown = BasicAuth.decode(request.headers.get("Authorization", ""), "utf-8")
    except ValueError:
        return False
    client = request.app[_CLIENT]
    return unquote_plus(shown.login) == client.id and hmac.compare_digest(
        unquote_plus(shown.password).encode(), client.secret.encode()
    )


async def _token(request: web.Request) -> str | None:
    text = (await request.post()).get("token")
    return text if isinstance(text, str) and text else None


def _error(status: HTTPStatus, error: str, description: str) -> web.Response:
    challenge = _CHALLENGE if status is HTTPStatus.UNAUTHORIZED else {}
    body = {"error": error, "error_description": description}
    return web.json_response(body, status=status, headers={**_NOT_STORED, **challenge})
