"""The documents: how long they are, and that all that they point to is there."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").rglob("*.md"))
SHORT = [*PAGES, ROOT / "gateway" / "README.md", *sorted((ROOT / "tests" / "load").glob("*.md"))]
DOCUMENTS = [
    *(README, ROOT / "CONTRIBUTING.md", ROOT / "RUNBOOK.md", ROOT / "SECURITY.md"),
    *SHORT,
    *sorted(ROOT.glob("generated/*/README.md")),
]
MAX_README_BYTES = 9000
MAX_PAGE_BYTES = 12_000

FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# A file or folder of the project; what has <…> or … in it stands for many.
PATH = re.compile(r"(?:server|gateway|tests|scripts|proto|generated|docs)/[\w./-]*")
TEST = re.compile(r"`(tests/[\w/]+\.py)` \(`(test_\w+)`\)")


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


for_each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
for_each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def prose(document: Path) -> str:
    return FENCED.sub("", document.read_text())


def links(document: Path) -> Iterator[tuple[Path, str]]:
    """Yield the file and the anchor of each link within the project."""
    for link in LINK.findall(prose(document)):
        if not link.startswith(("https://", "http://")):
            path, _, anchor = link.partition("#")
            yield (document.parent / path if path else document), anchor


@cache
def anchors(document: Path) -> frozenset[str]:
    """Return the anchors that GitHub gives to headings."""
    found: set[str] = set()
    for heading in HEADING.findall(prose(document)):
        words = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{anchor}-1" if anchor in found else anchor)
    return frozenset(found)


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len(README.read_bytes()) <= MAX_README_BYTES


@pytest.mark.parametrize("document", SHORT, ids=name_of)
def test_a_page_is_short(document: Path) -> None:
    assert len(document.read_bytes()) <= MAX_PAGE_BYTES


@for_each_page
def test_a_page_begins_with_what_it_is_for(page: Path) -> None:
    title, purpose, *_ = page.read_text().split("\n\n")
    assert re.fullmatch("# .+", title)
    assert re.match(r"[A-Z*`]", purpose)
    assert 1 <= len(re.findall(r"\.(?=\s|$)", purpose)) <= 2


def test_the_readme_leads_to_every_page() -> None:
    assert set(PAGES) <= {path.resolve() for path, _ in links(README)}


@for_each_document
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = [
        f"{path}#{anchor}"
        for path, anchor in links(document)
        if not path.exists() or (anchor and anchor not in anchors(path.resolve()))
    ]
    assert not broken


@for_each_document
def test_every_file_that_is_named_is_there(document: Path) -> None:
    named = filter(PATH.fullmatch, QUOTED.findall(prose(document)))
    assert not [path for path in named if not (ROOT / path).exists()]


@for_each_page
def test_every_test_that_is_named_is_there(page: Path) -> None:
    missing = [
        (file, test)
        for file, test in TEST.findall(page.read_text())
        if not re.search(rf"def {test}\(", (ROOT / file).read_text())
    ]
    assert not missing
