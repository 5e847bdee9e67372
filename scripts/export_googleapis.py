"""Copies the google/api and google/rpc protos of googleapis-common-protos to a folder."""

import shutil
import sys
from importlib.resources import files
from pathlib import Path

PROTOS = {
    "google.api": ("annotations.proto", "http.proto"),
    "google.rpc": ("error_details.proto", "status.proto"),
}


def export(target: Path) -> None:
    for package, names in PROTOS.items():
        folder = target / package.replace(".", "/")
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copyfile(str(files(package) / name), folder / name)


if __name__ == "__main__":
    export(Path(sys.argv[1]))
