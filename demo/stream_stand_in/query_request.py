"""What a request for QueryCalls asks for: calls by their cids, sorted, a page of them."""

import base64
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from demo.stream_stand_in.endpoints import QUERY_CALLS, Fault

_DEFAULT_LIMIT = 25
_MAX_LIMIT = 100


class Sort(BaseModel):
    """By a field of a call, ascending if the direction is 1."""

    model_config = ConfigDict(strict=True)

    field: Literal["starts_at", "created_at", "updated_at", "ended_at", "type", "id", "cid"]
    direction: Literal[1, -1] | None = 1


class Cursor(BaseModel):
    """Where a page begins; it has the order with it, for Stream takes no `sort` beside a cursor."""

    model_config = ConfigDict(strict=True)

    offset: int = Field(0, ge=0)
    # Stream's documentation names no default order. This one is seldom that of the request, on purpose.
    sort: list[Sort] = [Sort(field="created_at", direction=-1)]

    def to_token(self) -> str:
        """Write the cursor as callers hand it back."""
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode()


@dataclass(frozen=True)
class Query:
    """The calls asked for, and the page of them, in number of calls."""

    cids: tuple[str, ...]
    limit: int
    cursor: Cursor


def parse_query(body: bytes) -> Query | Fault:
    """Read the body of a request for QueryCalls, or return what is wrong with it."""
    try:
        return _Request.model_validate_json(body).to_query()
    except ValidationError as error:
        fault = error.errors()[0]
        return QUERY_CALLS.input_fault(": ".join(filter(None, [_path(fault["loc"]), fault["msg"]])))


def split_cid(cid: str) -> tuple[str, str]:
    """Return the type and the id of a call."""
    call_type, _, call_id = cid.partition(":")
    return call_type, call_id


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location))


def _read_token(token: object) -> Cursor:
    try:
        return Cursor.model_validate_json(base64.urlsafe_b64decode(str(token)))
    except ValueError as error:
        raise PydanticCustomError("cursor", "the cursor is not valid") from error


_Cid = Annotated[str, StringConstraints(pattern=r"^[^:]+:.+$")]
_Token = Annotated[Cursor, BeforeValidator(_read_token)]


class _ByCid(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    # What Stream makes of an empty list is not known: who asks for no call has made a mistake.
    any_of: list[_Cid] | None = Field(None, alias="$in", min_length=1)
    one: _Cid | None = Field(None, alias="$eq")

    @model_validator(mode="after")
    def _has_one_operator(self) -> Self:
        if (self.any_of is None) == (self.one is None):
            raise PydanticCustomError("operator", "either $in or $eq must be given")
        return self

    def cids(self) -> tuple[str, ...]:
        return (self.one,) if self.one else tuple(self.any_of or ())


class _Filter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cid: _ByCid


class _Request(BaseModel):
    """As Stream's QueryCallsRequest; unlike Stream it has no filter but one of cids."""

    model_config = ConfigDict(strict=True)

    filter_conditions: _Filter
    limit: int | None = Field(None, ge=1)
    sort: list[Sort] | None = Field(None, max_length=2)
    next: _Token | None = None
    prev: _Token | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.limit or 0) > _MAX_LIMIT:
            raise PydanticCustomError("limit", "limit must be 100 or less")
        if self.next and self.prev:
            raise PydanticCustomError("cursor", "cannot specify next and prev at the same time")
        if self.sort and (self.next or self.prev):
            raise PydanticCustomError("cursor", "cannot specify sort and next/prev at the same time")
        return self

    def to_query(self) -> Query:
        first = Cursor(sort=self.sort) if self.sort else Cursor()
        return Query(
            cids=self.filter_conditions.cid.cids(),
            limit=self.limit or _DEFAULT_LIMIT,
            cursor=self.next or self.prev or first,
        )
