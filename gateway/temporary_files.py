"""The folder of temporary files if only memory can be written to, as in read-only containers."""

import os
import tempfile

_MEMORY = "/dev/shm"  # noqa: S108 - files are made there by tempfile, which takes care


class NoFolderError(Exception):
    """No folder can be written to; the message advises what to do."""

    def __init__(self) -> None:
        super().__init__("No folder for temporary files can be written to: name one in TMPDIR")


def find_folder() -> None:
    """Let tempfile find a folder; raises NoFolderError."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        if not os.access(_MEMORY, os.W_OK):
            raise NoFolderError from None
        tempfile.tempdir = _MEMORY
