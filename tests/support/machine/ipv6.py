"""Whether this machine has IPv6."""

import os

import pytest

from demo.ports import is_free

# In CI nothing is skipped: what needs IPv6 fails there without.
needs_ipv6 = pytest.mark.skipif(
    "CI" not in os.environ and not is_free("::1", 0), reason="this machine has no IPv6"
)
