"""A folder for PYTHONPATH, whose sitecustomize lets one import take long."""

from pathlib import Path

FOLDER = Path(__file__).parent
