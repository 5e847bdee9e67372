"""A folder for PYTHONPATH, whose sitecustomize hides Python's shared library."""

from pathlib import Path

FOLDER = Path(__file__).parent
