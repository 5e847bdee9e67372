"""Writes the documents' tables of settings, from the settings' types and docstrings.

A table stands behind a line `<!-- settings: module.Class -->`, and is made anew whenever this runs.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path

from pydantic_settings import BaseSettings

from machine.printed_settings import write_value

_FOLDER = Path(__file__).parents[1] / "docs"
DOCUMENTS = (
    *(_FOLDER / f"configuration{part}.md" for part in ("", "-tokens", "-gateway")),
    _FOLDER / "operations" / "tracing.md",
)
TABLE = re.compile(r"^<!-- settings: (?P<module>[\w.]+)\.(?P<name>\w+) -->\n(?:\|.*\n)*", re.MULTILINE)


def main() -> None:
    """Write all of them."""
    for document in DOCUMENTS:
        document.write_text(fill(document.read_text()))


def fill(text: str) -> str:
    """Return a document with its tables as the settings have them."""
    return TABLE.sub(_table, text)


def variables(settings: type[BaseSettings]) -> Iterator[tuple[str, str]]:
    """Yield the environment variable and the default of each setting, empty if there is none."""
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        yield f"{prefix}{name}".upper(), write_value(field.default)


def _table(match: re.Match[str]) -> str:
    settings = getattr(import_module(match["module"]), match["name"])
    texts = _docstrings(settings)
    rows = (
        f"| `{variable}` | {f'`{default}`' if default else 'none'} | {texts[name]} |"
        for name, (variable, default) in zip(settings.model_fields, variables(settings), strict=True)
    )
    marker = match[0].partition("\n")[0]
    return "\n".join([marker, "| setting | default | what |", "|---|---|---|", *rows, ""])


def _docstrings(settings: type[BaseSettings]) -> dict[str, str]:
    """Read the texts behind the fields, which Python itself forgets."""
    (definition,) = ast.parse(inspect.getsource(settings)).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - as the source is a class's
    return dict(filter(None, map(_docstring, pairwise(definition.body))))


def _docstring(statements: tuple[ast.stmt, ast.stmt]) -> tuple[str, str] | None:
    match statements:
        case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
            return name, " ".join(text.split())
    return None


if __name__ == "__main__":
    main()
