"""`python -m client get`, asking the running service."""

import os
import pty
import re
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.ports import free_port
from demo.readiness import wait_until
from demo.sample_calls import sample_id
from server.application.call import MAX_TITLE_LENGTH
from tests.support.data.calls import PLAIN_CALL, new_id
from tests.support.database.postgres import away, store_call
from tests.support.machine.commands import command, environment, run
from tests.support.server.demo import RunningDemo, pasted
from tests.support.server.stack import Stack

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
FACES: tuple[list[str], ...] = ([], ["--rest"])
ESCAPE = "\x1b"


def reaching(demo: RunningDemo) -> dict[str, Any]:
    """Return the settings of the demo's address and its token, as a user has them."""
    token = demo.bearer["authorization"].removeprefix("Bearer ")
    ports = {"GRPC_PORT": str(demo.grpc_port), "REST_PORT": str(demo.rest_port)}
    return {"ACCESS_TOKEN": token, **ports}


def reaching_stack(stack: Stack) -> dict[str, Any]:
    grpc_port, rest_port = (address.rpartition(":")[2] for address in stack.grpc_addresses)
    return {"GRPC_PORT": grpc_port, "REST_PORT": rest_port}


@contextmanager
def watching(
    folder: Path, settings: dict[str, str], *arguments: str
) -> Iterator[tuple["subprocess.Popen[bytes]", Path, Path]]:
    """Run `get --watch` into two files, while the block lasts."""
    output, errors = folder / "output", folder / "errors"
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            command("get", "--watch", "--interval", "0.1", *arguments, of="client"),
            env=environment(**settings),
            stdout=out,
            stderr=err,
        )
    try:
        yield process, output, errors
    finally:
        process.kill()
        process.wait(10)


def on_a_terminal(settings: dict[str, str], *arguments: str, until: str = "") -> tuple[int, str]:
    """Run `get` on a terminal, and press Ctrl-C there once it shows a text, if one is named."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        command("get", *arguments, of="client"),
        env=environment(TERM="xterm", **settings),
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    shown = b""
    try:
        while part := _read(ours):
            shown += part
            if until and until in shown.decode(errors="replace"):
                until = ""
                process.send_signal(signal.SIGINT)
        return process.wait(10), shown.decode().replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait(10)
        os.close(ours)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return b""


@pytest.mark.parametrize("face", FACES, ids=["grpc", "rest"])
@pytest.mark.parametrize("digit", [1, 2, 3, 4, 5, 6])
def test_piped_it_is_the_body_by_rest(demo: RunningDemo, face: list[str], digit: int) -> None:
    body = httpx.get(demo.call_url(digit), headers=demo.bearer).content
    ended = run("get", *face, str(sample_id(digit)), of="client", **reaching(demo))
    assert (ended.exit_code, ended.stdout_bytes, ended.stderr) == (0, body + b"\n", "")


def test_through_envoy_it_is_the_same(demo: RunningDemo) -> None:
    address = ["--address", f"127.0.0.1:{demo.rest_port}"]
    straight = run("get", str(sample_id(3)), of="client", **reaching(demo))
    through = run("get", *address, str(sample_id(3)), of="client", **reaching(demo))
    assert through.stdout == straight.stdout


def test_whatever_the_title_it_is_the_body_by_rest(stack: Stack) -> None:
    odd = "".join(
        character
        for character in map(chr, range(1, sys.maxunicode + 1))
        if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Zs", "Po", "Sm")
    )
    for start in range(0, len(odd), MAX_TITLE_LENGTH):
        title = odd[start : start + MAX_TITLE_LENGTH]
        call = store_call(stack.postgres.url, id=new_id(), title=title)
        body = stack.get(call.id).body
        for face in FACES:
            ended = run("get", *face, call.id, of="client", **reaching_stack(stack))
            assert (ended.exit_code, ended.stdout_bytes) == (0, body + b"\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_cannot_be_written_is_said_in_a_line(demo: RunningDemo, unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            command("get", str(sample_id(2)), of="client"),
            env=environment(PYTHONUNBUFFERED=unbuffered, **reaching(demo)),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (1, "Error: Cannot write: No space left on device\n")


@pytest.mark.parametrize("face", FACES, ids=["grpc", "rest"])
def test_exit_codes_tell_what_is_wrong(demo: RunningDemo, face: list[str]) -> None:
    reach, nobody = reaching(demo), str(free_port())
    for arguments, settings, code, words in (
        ([new_id()], {}, 3, "No call has this id."),
        (["no-such-call"], {}, 3, "No call has this id."),
        ([sample_id(2)], {"ACCESS_TOKEN": ""}, 5, "An access token is required."),
        ([sample_id(2)], {"ACCESS_TOKEN": "wrong"}, 5, "Put another token into ACCESS_TOKEN"),
        ([sample_id(2)], {"GRPC_PORT": nobody, "REST_PORT": nobody}, 4, f"127.0.0.1:{nobody}: "),
        (["--watch", sample_id(2)], {"GRPC_PORT": nobody, "REST_PORT": nobody}, 4, "Try again"),
    ):
        ended = run("get", *face, *map(str, arguments), of="client", **{**reach, **settings})
        assert (ended.exit_code, ended.stdout) == (code, "")
        assert words in ended.stderr
        assert ended.stderr.startswith("Error: ")
        assert ended.stderr.count("\n") == 1


def test_a_store_that_is_away_is_no_answer(stack: Stack) -> None:
    with away(stack.postgres):
        for face in FACES:
            ended = run("get", *face, PLAIN_CALL.id, of="client", **reaching_stack(stack))
            assert (ended.exit_code, ended.stdout) == (4, "")
            assert "The calls cannot be read right now." in ended.stderr
    assert wait_until(lambda: stack.get().status == 200, 10)


@pytest.mark.parametrize("face", FACES, ids=["grpc", "rest"])
def test_watched_it_prints_a_line_for_each_change(
    demo: RunningDemo, face: list[str], tmp_path: Path
) -> None:
    (curl,) = re.findall(r"^  (curl -X PUT .*)$", demo.output(), re.MULTILINE)
    with watching(tmp_path, reaching(demo), *face, str(sample_id(2))) as (process, output, errors):
        try:
            assert wait_until(lambda: output.read_text().count("\n") == 1, 10), errors.read_text()
            pasted(curl)
            assert wait_until(lambda: output.read_text().count("\n") == 2, 10)
        finally:
            pasted(curl.replace("ended", "on_air"))
        assert wait_until(lambda: output.read_text().count("\n") == 3, 10)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        on_air, ended, again = output.read_text().splitlines()
        assert '"is_live":true' in on_air
        assert '"is_live":false' in ended
        assert again == on_air
        assert errors.read_text().strip() == ""


@pytest.mark.parametrize("face", FACES, ids=["grpc", "rest"])
def test_watched_it_outlasts_an_outage_and_says_so(
    stack: Stack, face: list[str], tmp_path: Path
) -> None:
    with watching(tmp_path, reaching_stack(stack), *face, PLAIN_CALL.id) as (process, output, errors):
        assert wait_until(lambda: output.read_text().count("\n") == 1, 10), errors.read_text()
        with away(stack.postgres):
            assert wait_until(lambda: "NO ANSWER since " in errors.read_text(), 10)
        assert wait_until(lambda: "Answered at " in errors.read_text(), 10)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert output.read_text().count("\n") == 1
        assert errors.read_text().strip().count("\n") == 1


def test_a_person_gets_the_table_that_the_page_shows(demo: RunningDemo) -> None:
    code, shown = on_a_terminal(reaching(demo), str(sample_id(2)))
    (block,) = re.findall(
        r"^\$ python -m client get \S+\n(Title .*?)(?=\n\n|\n```)", PAGE, re.MULTILINE | re.DOTALL
    )
    assert code == 0
    assert without_times(shown.strip()) == without_times(block)


def without_times(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", text)


def test_a_hostile_title_does_not_rule_the_terminal(stack: Stack) -> None:
    hostile = "\x1b[2J\x1b]0;root\x07\nStatus  ended \u202e\u2066"
    call = store_call(stack.postgres.url, id=new_id(), title=hostile)
    for options in ([], ["--rest"], ["--json"], ["--rest", "--json"]):
        code, shown = on_a_terminal(reaching_stack(stack), *options, call.id)
        assert code == 0
        assert r"\u001b[2J\u001b]0;root\u0007" in shown
        assert not set(shown) & {ESCAPE, "\x07", "\u202e", "\u2066"}
        assert r"\u202e\u2066" in shown


def test_on_a_terminal_watching_draws_anew_and_ends_with_ctrl_c(demo: RunningDemo) -> None:
    code, shown = on_a_terminal(reaching(demo), "--watch", str(sample_id(2)), until="Answered at ")
    assert code == 0
    assert shown.startswith(ESCAPE)
    assert "Title        Strength class\n" in shown
    assert "Traceback" not in shown
