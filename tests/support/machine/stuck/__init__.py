"""A folder for PYTHONPATH, whose sitecustomize lets an embedded server hang."""

from pathlib import Path

FOLDER = Path(__file__).parent
