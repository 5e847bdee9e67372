"""Draws the rooms of the code and who imports whom, as a Mermaid chart in docs/development.md.

The chart stands behind a line `<!-- map -->`, and is made anew whenever this runs.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import grimp

_ROOT = Path(__file__).parents[1]
_CONTRACTS = tomllib.loads((_ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
DOCUMENT = _ROOT / "docs" / "development.md"
_CHART = re.compile(r"(?<=^<!-- map -->\n)```mermaid\n.*?^```\n", re.MULTILINE | re.DOTALL)

Arrows = Mapping[str, set[str]]
"""The rooms that each room imports."""


def main() -> None:
    """Draw it."""
    DOCUMENT.write_text(fill(DOCUMENT.read_text()))


def fill(text: str) -> str:
    """Return a document with the chart as the code has it."""
    return _CHART.sub(chart(reduce_arrows(find_arrows())), text)


def find_arrows() -> Arrows:
    """Find which room imports which: the packages, and in `server` all that stands directly in it."""
    graph = grimp.build_graph(*_CONTRACTS["root_packages"], cache_dir=None)
    arrows: dict[str, set[str]] = defaultdict(set)
    for module in graph.modules:
        imported = map(_room, graph.find_modules_directly_imported_by(module))
        arrows[_room(module)].update(room for room in imported if room != _room(module))
    return arrows


def reduce_arrows(arrows: Arrows) -> Arrows:
    """Leave out the arrows that follow from others, which would hide them."""
    reached = {room: set(_reach(room, arrows)) for room in arrows}
    return {
        room: {other for other in others if not any(other in reached[each] for each in others)}
        for room, others in arrows.items()
    }


def chart(arrows: Arrows) -> str:
    """Write the arrows as Mermaid draws them, the rooms of the server in a box."""
    rooms = sorted(room for room in arrows if room.startswith("server."))
    lines = [f"    {room}[{room.removeprefix('server.')}]" for room in rooms]
    drawn = [f"  {room} --> {other}" for room in sorted(arrows) for other in sorted(arrows[room])]
    return "\n".join(
        ["```mermaid", "flowchart TD", "  subgraph server", *lines, "  end", *drawn, "```", ""]
    )


def _room(module: str) -> str:
    package, *rest = module.split(".")
    return ".".join([package, *rest[:1]]) if package == "server" else package


def _reach(room: str, arrows: Arrows) -> Iterator[str]:
    for other in arrows[room]:
        yield other
        yield from _reach(other, arrows)


if __name__ == "__main__":
    main()
