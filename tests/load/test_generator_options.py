"""How the load generator reports wrong options."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.load.bench.generator import PROGRAM, GeneratorError, Load, run
from tests.support.callers.loads import put
from tests.support.stand_ins.targets import Target

pytestmark = pytest.mark.usefixtures("_built")


@pytest.mark.parametrize(
    ("changes", "trouble"),
    [
        ({"protocol": "http2"}, "--protocol must be grpc or http1"),
        ({"addresses": ("here",)}, "--address must be HOST:PORT, or some of these"),
        ({"keys": Path("/no-such-file")}, "/no-such-file: No such file or directory"),
        ({"seconds": 0}, "--seconds must be a number from 0.001 to 1e+06"),
        ({"in_flight": 1.5}, "--in-flight must be a whole number"),
        ({"in_flight": 2, "connections": 3}, "--connections must not exceed --in-flight"),
        (
            {"token": "a", "fresh_tokens": "b"},
            "--token and --fresh-tokens exclude each other",
        ),
        (
            {"protocol": "http1", "connections": 3},
            "--connections must be as many as --in-flight by http1",
        ),
    ],
)
def test_what_makes_no_sense_is_said(keys: Path, changes: dict[str, Any], trouble: str) -> None:
    load = Load("grpc", ("127.0.0.1:1",), keys, seconds=1)
    with pytest.raises(GeneratorError) as raised:
        run(replace(load, **changes))
    assert str(raised.value) == f"loadgen: {trouble}"


@pytest.mark.parametrize("content", ["", "a\n\nb\n", "a b\n", "x" * 1001])
async def test_a_file_that_holds_no_ids(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys"
    file.write_text(content)
    with pytest.raises(GeneratorError, match="no id"):
        await put("grpc", file, Target("127.0.0.1:1"))


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--help"], 0, "--in-flight N"),
        (["--what"], 2, "--what is no option"),
        (["--keys"], 2, "--keys needs a value"),
        (["--keys", "here", "there"], 2, "there belongs to no option"),
        ([], 2, "--protocol is missing"),
    ],
)
def test_the_command_line(options: list[str], code: int, words: str) -> None:
    ended = subprocess.run([PROGRAM, *options], capture_output=True, text=True, check=False)
    assert ended.returncode == code
    assert words in ended.stdout + ended.stderr
