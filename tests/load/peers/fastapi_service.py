"""LiveCalls as its users would write it with FastAPI: SQLAlchemy's ORM, and a session a request.

It requires no tokens, which favours it. If a Stream app is set it asks Stream about each call that is
there, by Stream's SDK and its types; else it sends no requests to Stream, which favours it too.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, create_model
from sqlalchemy import Column
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from server.store import tables

engine = create_async_engine(
    make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg"),
    # The best of 5, 10, 20 and 64 on two cores that PostgreSQL and the callers share.
    pool_size=64,
    max_overflow=0,
    # One SELECT needs no transaction around it, which would cost a lone caller a sixth more.
    isolation_level="AUTOCOMMIT",
)
new_session = async_sessionmaker(engine, expire_on_commit=False)


STREAM_SECONDS = 0.3


def stream_client() -> Any:
    if "STREAM_API_KEY" not in os.environ:
        return None
    from getstream import AsyncStream  # noqa: PLC0415 - it takes a second

    return AsyncStream(
        api_key=os.environ["STREAM_API_KEY"],
        api_secret=os.environ["STREAM_API_SECRET"],
        base_url=os.environ["STREAM_BASE_URL"],
    )


stream = stream_client()


class LiveStatus(BaseModel):
    is_live: bool
    current_session_id: str | None
    ended_at: datetime | None


class Base(DeclarativeBase):
    pass


class StoredCall(Base):
    __table__ = tables.calls
    __allow_unmapped__ = True
    live: LiveStatus | None = None


_KINDS: dict[str, Any] = {"id": UUID, "status": Literal["scheduled", "live", "ended", "errored"]}


def _field(column: Column[Any]) -> Any:
    kind = _KINDS.get(column.name, column.type.python_type)
    return (kind | None if column.nullable else kind), ...


# The class that its users would write, field by field.
Call = create_model(
    "Call",
    **{column.name: _field(column) for column in tables.calls.c},
    live=(LiveStatus | None, None),
)


class CallNotFoundError(Exception):
    """No call has the id."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    if stream:
        await stream.aclose()
    await engine.dispose()


async def session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


app = FastAPI(lifespan=lifespan)


@app.get("/v1/live/calls/{call_id}", response_model=Call)
async def get_call(call_id: UUID, session: Annotated[AsyncSession, Depends(session)]) -> Any:
    call: Any = await session.get(StoredCall, call_id)
    if call is None:
        raise CallNotFoundError
    if stream and call.stream_call_id:
        call.live = await live_status(call.stream_call_type, call.stream_call_id)
    return call


async def live_status(call_type: str, call_id: str) -> LiveStatus | None:
    """Return what Stream says, None if it says nothing in time: the row is worth more than that."""
    try:
        async with asyncio.timeout(STREAM_SECONDS):
            response = await stream.video.call(call_type, call_id).get()
    except Exception:  # noqa: BLE001 - the SDK raises errors of many kinds
        return None
    call = response.data.call
    return LiveStatus(
        is_live=is_on_air(call),
        current_session_id=call.current_session_id or None,
        ended_at=call.ended_at,
    )


def is_on_air(call: Any) -> bool:
    session = call.session
    if call.backstage or session is None or session.ended_at or not session.live_started_at:
        return False
    ends = (call.ended_at, session.live_ended_at)
    return all(end is None or end < session.live_started_at for end in ends)


@app.exception_handler(CallNotFoundError)
@app.exception_handler(RequestValidationError)  # the id is no UUID
async def not_found(request: Request, error: Exception) -> JSONResponse:
    body = {"error": "not_found", "message": "No call has this id."}
    return JSONResponse(body, status_code=404)


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
