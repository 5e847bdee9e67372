"""The page that runs the cases in a browser: it has its own port, and so no gateway's origin."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[2] / ".build" / "stubs" / "typescript" / "page"


@contextmanager
def page_served() -> Iterator[str]:
    """Serve the page while the block lasts, once it is built; its address is its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(_FOLDER)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass
