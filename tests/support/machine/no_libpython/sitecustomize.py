"""Python imports this as it starts, if the folder is on its path; it finds no libpython then."""

import find_libpython


def _none(suffix: str = "") -> tuple[()]:
    return ()


find_libpython.candidate_paths = _none
