"""The arrows between the packages, as pyproject.toml draws them."""

from importlinter.cli import lint_imports


def test_the_packages_import_each_other_only_as_drawn() -> None:
    assert lint_imports(no_cache=True) == 0
