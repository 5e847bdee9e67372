"""Number types that several settings share."""

from typing import Annotated

from pydantic import Field

Milliseconds = Annotated[int, Field(gt=0, lt=2**31)]
"""A time of up to 24 days, which PostgreSQL and libpq can take."""

Count = Annotated[int, Field(gt=0)]
