"""The ratios that the table of cells is reduced to."""

from collections.abc import Iterator

from tests.load.bench.rounds import Cell, Sample, ratio


def ratios(cells: list[Cell]) -> Iterator[tuple[str, float]]:
    """Compare what was measured in the same rounds: contenders, or keys of one."""
    by_name = {(cell.contender, cell.keys): cell for cell in cells}
    for name, mine, other, of in _RATIOS:
        if mine in by_name and other in by_name:
            yield name, ratio([by_name[mine], by_name[other]], of)


def _rate(sample: Sample) -> float:
    return sample.measured.rate


def _cpu(sample: Sample) -> float:
    return sample.cpu_us


_RATIOS = (
    ("grpc_vs_ceiling", ("ours-grpc", "warm"), ("ceiling", "warm"), _rate),
    ("grpc_vs_ceiling_hot", ("ours-grpc", "hot"), ("ceiling", "hot"), _rate),
    ("grpc_cpu_vs_ceiling", ("ours-grpc", "warm"), ("ceiling", "warm"), _cpu),
    ("rest_vs_fastapi", ("ours-rest", "warm"), ("fastapi", "warm"), _rate),
    ("rest_cpu_vs_fastapi", ("ours-rest", "warm"), ("fastapi", "warm"), _cpu),
    ("grpc_cpu_vs_go", ("ours-grpc", "warm"), ("go-grpc", "warm"), _cpu),
    ("rest_cpu_vs_go", ("ours-rest", "warm"), ("go-rest", "warm"), _cpu),
    ("embedded_vs_ceiling", ("embedded-grpc", "warm"), ("ceiling", "warm"), _rate),
    ("embedded_rest_vs_fastapi", ("embedded-rest", "warm"), ("fastapi", "warm"), _rate),
    ("embedded_rest_cpu_vs_fastapi", ("embedded-rest", "warm"), ("fastapi", "warm"), _cpu),
    ("embedded_cpu_vs_go", ("embedded-grpc", "warm"), ("go-grpc", "warm"), _cpu),
    ("embedded_rest_cpu_vs_go_gateway", ("embedded-rest", "warm"), ("go-rest", "warm"), _cpu),
    ("spread_vs_warm", ("ours-grpc", "spread"), ("ours-grpc", "warm"), _rate),
    ("on_air_vs_warm", ("ours-grpc", "on_air"), ("ours-grpc", "warm"), _rate),
    ("on_air_cpu_vs_warm", ("ours-grpc", "on_air"), ("ours-grpc", "warm"), _cpu),
    ("embedded_on_air_vs_warm", ("embedded-grpc", "on_air"), ("embedded-grpc", "warm"), _rate),
    ("on_air_rest_vs_fastapi", ("ours-rest", "on_air"), ("fastapi-stream", "on_air"), _rate),
    (
        "on_air_embedded_vs_fastapi",
        ("embedded-rest", "on_air"),
        ("fastapi-stream", "on_air"),
        _rate,
    ),
)
