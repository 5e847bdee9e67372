"""Numbers that several settings have the like of."""

from typing import Annotated

from pydantic import Field

Milliseconds = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]
