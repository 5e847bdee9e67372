"""A TCP port in front of PostgreSQL's socket, that can stop passing anything on."""

import asyncio
...
