"""FastAPI and Motor under uvicorn: ``uvicorn benchmarks.peers.fastapi_motor:app --workers N``.

Process: a peer. The body is a Pydantic model, as FastAPI wants it; the database opens in the application's lifespan.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel, Field

from benchmarks.peers.shared import INDEXES, MONGODB_URI, POOL, Refused, answer_of, check_key, message_of


class Text(BaseModel):
    body: str = Field(min_length=1, max_length=4096)


class SendMessage(BaseModel):
    to: str = Field(pattern=r"^\d{7,15}$")
    type: Literal["text"]
    text: Text


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        MONGODB_URI, maxPoolSize=POOL, tz_aware=True, w="majority"
    )
    app.state.messages = client.peer.messages
    for index in INDEXES:
        await app.state.messages.create_index(index)
    yield
    client.close()


app = FastAPI(lifespan=lifespan)


async def authenticated(authorization: str | None = Header(default=None)) -> None:
    try:
        check_key(authorization)
    except Refused as refused:
        raise HTTPException(refused.status, str(refused)) from refused


@app.post("/v1/messages", status_code=202, dependencies=[Depends(authenticated)])
async def accept(order: SendMessage, request: Request) -> dict[str, Any]:
    message = message_of(order.model_dump())
    await request.app.state.messages.insert_one(message)
    return answer_of(message)


@app.get("/v1/messages/{message_id}", dependencies=[Depends(authenticated)])
async def read(message_id: str, request: Request) -> dict[str, Any]:
    message = await request.app.state.messages.find_one({"_id": message_id})
    if message is None:
        raise HTTPException(404, "There is no such message.")
    return answer_of(message)
