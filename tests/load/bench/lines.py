"""The ratios that the table of cells is reduced to."""

from collections.abc import Iterator
from statistics import median

from tests.load.bench.rounds import Cell, Sample


def ratios(cells: list[Cell]) -> Iterator[tuple[str, float]]:
    """Compare contenders, each in the round in which both were measured; the median of the rounds."""
    for name, mine, other, keys, of in _RATIOS:
        with_keys = {cell.contender: cell for cell in cells if cell.keys == keys}
        pair = [with_keys[who] for who in (mine, other) if who in with_keys]
        if len(pair) == 2:
            samples = zip(pair[0].samples, pair[1].samples, strict=True)
            yield name, median(of(a) / of(b) for a, b in samples)


def _rate(sample: Sample) -> float:
    return sample.measured.rate


def _cpu(sample: Sample) -> float:
    return sample.cpu_us


_RATIOS = (
    ("grpc_vs_ceiling", "ours-grpc", "ceiling", "warm", _rate),
    ("grpc_vs_ceiling_hot", "ours-grpc", "ceiling", "hot", _rate),
    ("grpc_cpu_vs_ceiling", "ours-grpc", "ceiling", "warm", _cpu),
    ("rest_vs_fastapi", "ours-rest", "fastapi", "warm", _rate),
    ("rest_cpu_vs_fastapi", "ours-rest", "fastapi", "warm", _cpu),
    ("grpc_cpu_vs_go", "ours-grpc", "go-grpc", "warm", _cpu),
    ("rest_cpu_vs_go", "ours-rest", "go-rest", "warm", _cpu),
    ("embedded_vs_ceiling", "embedded-grpc", "ceiling", "warm", _rate),
    ("embedded_rest_vs_fastapi", "embedded-rest", "fastapi", "warm", _rate),
    ("embedded_rest_cpu_vs_fastapi", "embedded-rest", "fastapi", "warm", _cpu),
    ("embedded_cpu_vs_go", "embedded-grpc", "go-grpc", "warm", _cpu),
    ("embedded_rest_cpu_vs_go_gateway", "embedded-rest", "go-rest", "warm", _cpu),
)
