"""A folder for PYTHONPATH, whose sitecustomize lets a server inside Envoy get stuck."""

from pathlib import Path

FOLDER = Path(__file__).parent
