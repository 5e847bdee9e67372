"""The bench itself: what it counts, compares and writes, and one short run of it."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.load.bench.__main__ import _keys_for, _plan, _written
from tests.load.bench.calls import bench_calls, key_sets
from tests.load.bench.contenders import all_contenders
from tests.load.bench.cpu import cpu_seconds
from tests.load.bench.generator import Measured
from tests.load.bench.lines import ratios
from tests.load.bench.report import plot, table, write_results
from tests.load.bench.rounds import Cell, Sample

ROOT = Path(__file__).parents[2]
BUSY = "import time\nwhile time.process_time() < 0.3: pass"


def cell(contender: str, *rates: float, cpu_us: float = 100.0, keys: str = "warm") -> Cell:
    measured = [Measured(100, 0, 1.0, rate, 1.0, 2000, 3000, 4000, 5000, None) for rate in rates]
    return Cell(contender, keys, [Sample(each, cpu_us) for each in measured])


def test_the_time_of_a_child_that_has_ended_counts() -> None:
    before = cpu_seconds([psutil.Process().pid])
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert cpu_seconds([psutil.Process().pid]) - before >= 0.28


def test_ratios_compare_within_a_round() -> None:
    cells = [cell("ours-grpc", 50, 100, 400), cell("ceiling", 100, 1000, 500)]
    assert dict(ratios(cells))["grpc_vs_ceiling"] == 0.5


def test_keys_of_one_contender_are_compared() -> None:
    warm = cell("ours-grpc", 100, 200, 300, cpu_us=100)
    on_air = cell("ours-grpc", 50, 150, 270, cpu_us=130, keys="on_air")
    lines = dict(ratios([warm, on_air]))
    assert lines == {"on_air_vs_warm": 0.75, "on_air_cpu_vs_warm": 1.3}


def test_a_ratio_without_its_contender_is_left_out() -> None:
    assert "rest_vs_fastapi" not in dict(ratios([cell("ours-rest", 1), cell("ceiling", 1)]))


def test_a_table_shows_medians() -> None:
    assert table([cell("ours-grpc", 1000, 5000, 3000)]).splitlines()[-1] == (
        "| ours-grpc | warm | 3,000 | 2.00 | 3.00 | 4.00 | 100 |"
    )


def test_results_hold_every_sample_and_the_plot_is_a_picture(tmp_path: Path) -> None:
    cells = [cell("ours-grpc", 1, 2), cell("fastapi", 3, 4)]
    write_results(tmp_path, cells, {"some": 1.5})
    plot(tmp_path, cells)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["lines"] == {"some": 1.5}
    assert [len(each["samples"]) for each in results["cells"]] == [2, 2]
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_what_takes_long_or_only_draws_is_left_out_unless_named() -> None:
    assert not {"concurrency", "soak", "dashboard"} & set(_plan({}).scenarios)
    plan = _plan({"BENCH_ONLY": "soak, ceiling", "BENCH_SECONDS": "0.5"})
    assert (plan.contenders, plan.scenarios, plan.seconds) == (["ceiling"], ["soak"], 0.5)


def test_only_files_that_a_run_has_written_are_named() -> None:
    assert _written(_plan({})) == "results.json, plot.png"
    assert _written(_plan({"BENCH_ONLY": "dashboard"})) == "results.json, dashboard.png"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SystemExit, match="BENCH_ONLY: nobody is none of ceiling"):
        _plan({"BENCH_ONLY": "nobody"})


def test_keys_are_one_call_on_air_a_thousand_and_all_of_them() -> None:
    calls = list(bench_calls())
    keys = {each.name: each.ids for each in key_sets(calls)}
    on_air = {call.id for call in calls if call.stream_call_id}
    assert {name: len(set(ids)) for name, ids in keys.items()} == {
        "hot": 1,
        "warm": 1000,
        "spread": 100_000,
        "few_on_air": 20,
        "tenth_on_air": 1000,
        "on_air": 1000,
    }
    assert set(keys["hot"]) | set(keys["few_on_air"]) | set(keys["on_air"]) <= on_air
    assert [len(on_air & set(keys[name])) for name in ("warm", "tenth_on_air")] == [20, 100]


def test_a_contender_is_asked_for_calls_on_air_if_it_asks_stream() -> None:
    with_stream = {name for name in all_contenders() if "on_air" in _keys_for(name)}
    assert {name for name in with_stream if not name.startswith("ours-")} == {
        "embedded-grpc",
        "embedded-rest",
        "fastapi-stream",
    }
    assert {"ours-grpc", "ours-rest"} < with_stream


@pytest.mark.usefixtures("_built")
@pytest.mark.timeout(300)
def test_a_short_run_prints_the_table_and_the_lines() -> None:
    ran = subprocess.run(
        ["make", "bench", "BENCH_SECONDS=0.3", "BENCH_ROUNDS=1", "BENCH_ONLY=ceiling,ours-grpc,opaque"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "| ours-grpc | spread |" in ran.stdout
    assert "grpc_vs_ceiling: " in ran.stdout
    assert "\non_air_vs_warm: " in ran.stdout
    assert "opaque_vs_jwt: " in ran.stdout
    results = json.loads((ROOT / ".build" / "bench" / "results.json").read_text())
    assert {each["contender"] for each in results["cells"]} == {"ceiling", "ours-grpc"}
    assert f"grpc_vs_ceiling: {results['lines']['grpc_vs_ceiling']:.3f}\n" in ran.stdout
