"""LiveCalls as its users would write it with FastAPI: SQLAlchemy's ORM, and a session a request.

It requires no tokens, and sends no requests to Stream: both favour it.
"""

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


class Base(DeclarativeBase):
    pass


class StoredCall(Base):
    __table__ = tables.calls


class LiveStatus(BaseModel):
    is_live: bool
    current_session_id: str | None
    ended_at: datetime | None


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
    await engine.dispose()


async def session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


app = FastAPI(lifespan=lifespan)


@app.get("/v1/live/calls/{call_id}", response_model=Call)
async def get_call(call_id: UUID, session: Annotated[AsyncSession, Depends(session)]) -> StoredCall:
    call = await session.get(StoredCall, call_id)
    if call is None:
        raise CallNotFoundError
    return call


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
