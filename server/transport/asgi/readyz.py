"""GET and HEAD /readyz, which Envoy passes on for load balancers: the server's health by HTTP."""

from server.transport.asgi.types import Headers, Send

PATH = b"/readyz"

# As the gateway itself answers: see local_reply_config in envoy.yaml.
_READY = b'{"status":"ok"}\n'
_UNREADY = (
    b'{"error":"unavailable","message":"The service cannot be reached right now. Try again shortly."}\n'
)


async def reply(verb: str, send: Send, *, serving: bool) -> None:
    """Send 200, or 503 if it does not serve, and never raise; Envoy passes no other verbs on."""
    body = _READY if serving else _UNREADY
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *(() if serving else [(b"retry-after", b"1")]),
    ]
    try:
        await send(
            {"type": "http.response.start", "status": 200 if serving else 503, "headers": headers}
        )
        await send({"type": "http.response.body", "body": b"" if verb == "HEAD" else body})
    except OSError:
        pass  # the caller is gone
