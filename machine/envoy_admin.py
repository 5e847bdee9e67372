"""A client of Envoy's admin page: reads its state, and drains it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection, HTTPException
from typing import Any

_LOOK_SECONDS = 0.05
_ANSWER_SECONDS = 1.0
_LISTENERS_ADDED = "listener_manager.listener_added"
_LISTENERS_STOPPED = "listener_manager.listener_stopped"
_REQUESTS = "http.rest.downstream_rq_active"


class EnvoyAdmin:
    """The admin page of the Envoy with a node id; another Envoy may have the port."""

    def __init__(self, port: int, node_id: str) -> None:
        self._port = port
        self._node_id = node_id

    async def is_live(self, within: float = _ANSWER_SECONDS) -> bool:
        """Return whether it serves, within so many seconds; False for another Envoy."""
        info = await self._fetch_json("GET", "/server_info", within)
        return (info.get("state"), info.get("node", {}).get("id")) == ("LIVE", self._node_id)

    async def until_live(self) -> None:
        """Return once it serves."""
        await _until(self.is_live)

    async def announce_end(self) -> None:
        """Have it respond to health checks that it is about to end, and serve all else as before."""
        await self._fetch("POST", "/runtime_modify?gateway.draining=100")

    async def drain(self) -> None:
        """Drain its listeners; return once they are closed and all requests have ended."""
        await self._fetch("POST", "/drain_listeners?graceful")
        await _until(self._is_drained)

    async def _is_drained(self) -> bool:
        names = f"{_LISTENERS_ADDED}|{_LISTENERS_STOPPED}|{_REQUESTS}"
        page = await self._fetch_json("GET", f"/stats?format=json&filter=^({names})$")
        stats = {it["name"]: it["value"] for it in page.get("stats", ())}
        are_closed = stats.get(_LISTENERS_STOPPED, 0) == stats.get(_LISTENERS_ADDED)
        return are_closed and stats.get(_REQUESTS) == 0

    async def _fetch_json(self, verb: str, path: str, within: float = _ANSWER_SECONDS) -> dict[str, Any]:
        """Read a page in JSON; return an empty one if there is no response, or it is not JSON."""
        try:
            said = json.loads(await self._fetch(verb, path, within))
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    async def _fetch(self, verb: str, path: str, within: float = _ANSWER_SECONDS) -> bytes:
        return await asyncio.to_thread(_request, self._port, verb, path, within)


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    while not await holds():  # noqa: ASYNC110 - it is another process that is looked at
        await asyncio.sleep(_LOOK_SECONDS)


def _request(port: int, verb: str, path: str, within: float) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=within)
    try:
        connection.request(verb, path)
        return connection.getresponse().read()
    except (OSError, HTTPException):
        return b""
    finally:
        connection.close()
