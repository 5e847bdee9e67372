"""The page on what tests share, held against the folders."""

import re
from pathlib import Path

SUPPORT = Path(__file__).parents[2] / "support"


def test_every_folder_has_a_row() -> None:
    rows = re.findall(r"^\| `(\w+)/` \|", (SUPPORT / "README.md").read_text(), re.MULTILINE)
    folders = {file.relative_to(SUPPORT).parts[0] for file in SUPPORT.glob("*/**/*.py")}
    assert rows == sorted(folders)
