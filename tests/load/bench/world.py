"""What all contenders share: the database, the Stream stand-in, an issuer of tokens, files of ids."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.issuer import DemoIssuer
from demo.postgres import EmbeddedPostgres, embedded_postgres
from demo.serving import serve_in_thread
from demo.stream_stand_in.stand_in import StreamStandIn
from server.application.call import Call
from server.store.bulk import store_calls
from server.store.migrate import upgrade
from tests.load.bench.calls import key_sets
from tests.load.bench.issuers import Issuer
from tests.load.bench.quick_stream import quick_application
from tests.support.stand_ins.stream import KEY, SECRET, stream_variables

_POSTGRES_SETTINGS = {"max_connections": "300"}
"""All contenders are connected at once, some of them 64 times."""
_DISTANT_SECONDS = 0.08
"""How long a response of Stream takes if it is as far away as it may be."""


@dataclass(frozen=True)
class World:
    """Everything that runs before a contender starts."""

    folder: Path
    postgres: EmbeddedPostgres
    stand_in: StreamStandIn
    stream_url: str
    issuer: Issuer
    keys: dict[str, Path]
    more_settings: Mapping[str, str] = field(default_factory=dict)
    """What the server shall have otherwise than by default."""

    @property
    def token(self) -> str:
        return self.issuer.token()

    @property
    def database_settings(self) -> dict[str, str]:
        """The settings of a contender that knows neither tokens nor Stream."""
        return {"DATABASE_URL": self.postgres.url}

    @property
    def database_pid(self) -> int:
        assert self.postgres.pid
        return self.postgres.pid

    def settings(self, stream_url: str | None = None) -> dict[str, str]:
        """Return the settings of the server with tokens and Stream on, and others if there are any."""
        stream = stream_variables(stream_url or self.stream_url)
        return {**self.database_settings, **self.issuer.settings, **stream, **self.more_settings}

    @property
    def stream_requests(self) -> int:
        """How many HTTP requests the stand-in has got, about one call or about many."""
        return self.stand_in.requests.total() + len(self.stand_in.queries)

    @contextmanager
    def distant_stream(self) -> Iterator[None]:
        """Have the stand-in respond after 80 ms while the block lasts, instead of at once."""
        self.stand_in.latency_seconds = _DISTANT_SECONDS
        try:
            yield
        finally:
            self.stand_in.latency_seconds = 0


@contextmanager
def bench_world(calls: Iterable[Call]) -> Iterator[World]:
    """Build it: the calls are stored, and those on air known to the stand-in."""
    with (
        tempfile.TemporaryDirectory(prefix="livecalls-") as name,
        embedded_postgres(Path(name) / "data", _POSTGRES_SETTINGS) as postgres,
    ):
        folder = Path(name)
        upgrade(postgres.url)
        stand_in, keys = _distribute(list(calls), postgres, folder)
        with serve_in_thread(quick_application(stand_in)) as url:
            yield World(folder, postgres, stand_in, url, DemoIssuer(folder / "tokens"), keys)


def _distribute(
    calls: Sequence[Call], postgres: EmbeddedPostgres, folder: Path
) -> tuple[StreamStandIn, dict[str, Path]]:
    store_calls(postgres.url, calls)
    return _stand_in_of(calls), _key_files(calls, folder)


def _stand_in_of(calls: Sequence[Call]) -> StreamStandIn:
    stand_in = StreamStandIn(KEY, SECRET)
    for call in calls:
        if call.stream_call_id:
            stand_in.put(call.stream_call_type, call.stream_call_id)
    return stand_in


def _key_files(calls: Sequence[Call], folder: Path) -> dict[str, Path]:
    files = {}
    for keys in key_sets(calls):
        files[keys.name] = folder / f"{keys.name}.keys"
        files[keys.name].write_text(os.linesep.join([*keys.ids, ""]))
    return files
