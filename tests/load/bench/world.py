"""What all contenders share: the database, the Stream stand-in, an issuer of tokens, files of ids."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.issuer import DemoIssuer
from demo.postgres import EmbeddedPostgres, embedded_postgres
from demo.stream_stand_in.running import serve_in_thread
from demo.stream_stand_in.stand_in import StreamStandIn
from server.store.bulk import store_calls
from server.store.migrate import upgrade
from tests.load.bench.calls import bench_calls, key_sets
from tests.load.bench.issuers import Issuer
from tests.support.stand_ins.stream import KEY, SECRET, stream_variables


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


@contextmanager
def bench_world() -> Iterator[World]:
    """Build it: 100,000 calls, of which those on air are known to the stand-in."""
    with (
        tempfile.TemporaryDirectory(prefix="livecalls-") as name,
        embedded_postgres(Path(name) / "data") as postgres,
    ):
        folder = Path(name)
        upgrade(postgres.url)
        stand_in = stand_in_of_calls()
        store_calls(postgres.url, bench_calls())
        with serve_in_thread(stand_in) as url:
            issuer = DemoIssuer(folder / "tokens")
            yield World(folder, postgres, stand_in, url, issuer, _key_files(folder))


def stand_in_of_calls() -> StreamStandIn:
    """Make a stand-in that knows the calls that are on air."""
    stand_in = StreamStandIn(KEY, SECRET)
    for call in bench_calls():
        if call.stream_call_id:
            stand_in.put(call.stream_call_type, call.stream_call_id)
    return stand_in


def _key_files(folder: Path) -> dict[str, Path]:
    files = {}
    for keys in key_sets():
        files[keys.name] = folder / f"{keys.name}.keys"
        files[keys.name].write_text(os.linesep.join([*keys.ids, ""]))
    return files
