"""Python imports this as it starts, if the folder is on its path: one import waits from then on.

The module is SLOW_IMPORT; the file IMPORTING is made once its import begins.
"""

import os
import sys
import time
from importlib.machinery import ModuleSpec
from pathlib import Path

LONG_SECONDS = 120


class _Slow:
    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name == os.environ["SLOW_IMPORT"]:
            Path(os.environ["IMPORTING"]).touch()
            time.sleep(LONG_SECONDS)
        return None


sys.meta_path.insert(0, _Slow())
