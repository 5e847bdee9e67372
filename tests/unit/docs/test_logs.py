"""The page on logs, held against the messages in the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from server.store.faults import message_of

PROJECT = Path(__file__).parents[3]
PAGE = (PROJECT / "docs" / "operations" / "logs.md").read_text()
RUNBOOK = (PROJECT / "RUNBOOK.md").read_text()
LOUD = {"warning", "error", "exception", "write"}
# Faults of the code alone, whose lines have a trace.
OF_BUGS = ("the end of a reply could not be sent", "the server failed during its %s")


def loud_messages() -> Iterator[str]:
    """Yield what the server logs as a warning or an error, if that is a text in the call."""
    for file in (PROJECT / "server").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and is_loud(node.func):
                texts = (each.value for each in node.args if isinstance(each, ast.Constant))
                yield from (text for text in texts if isinstance(text, str) and text not in OF_BUGS)


def is_loud(function: ast.expr) -> bool:
    """Return whether it is a method of a log, as by a name that ends so."""
    if not isinstance(function, ast.Attribute):
        return False
    return function.attr in LOUD and ast.unparse(function.value).endswith("log")


@pytest.mark.parametrize("message", sorted(set(loud_messages())))
def test_every_warning_and_error_is_there(message: str) -> None:
    assert f"`{message}`" in PAGE


@pytest.mark.parametrize("page", [PAGE, RUNBOOK], ids=["logs", "runbook"])
def test_what_is_logged_if_the_database_is_away_is_there(page: str) -> None:
    assert f"`{message_of(psycopg.OperationalError())}`" in page


def test_what_is_logged_if_the_schema_is_old_is_there() -> None:
    message, _, _ = message_of(psycopg.errors.UndefinedColumn()).partition(":")
    assert f"`{message}: …`" in PAGE
