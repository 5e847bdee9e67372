"""A folder for PYTHONPATH, whose sitecustomize takes Python's shared library away."""

from pathlib import Path

FOLDER = Path(__file__).parent
