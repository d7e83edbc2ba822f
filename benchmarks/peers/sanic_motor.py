"""Sanic and Motor, as in their documentation: ``sanic benchmarks.peers.sanic_motor:app --workers=N``.

Process: a peer.
"""

from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from sanic import HTTPResponse, Request, Sanic, json

from benchmarks.peers.shared import INDEXES, MONGODB_URI, POOL, Refused, answer_of, check_key, message_of

app = Sanic("Peer")
app.config.ACCESS_LOG = False
app.config.MOTD = False


@app.before_server_start
async def connect(app: Sanic[Any, Any]) -> None:
    app.ctx.messages = AsyncIOMotorClient(MONGODB_URI, maxPoolSize=POOL, tz_aware=True, w="majority").peer.messages
    for index in INDEXES:
        await app.ctx.messages.create_index(index)


@app.exception(Refused)
async def refuse(_: Request, refused: Refused) -> HTTPResponse:
    return json({"error": str(refused)}, status=refused.status)


@app.post("/v1/messages")
async def accept(request: Request) -> HTTPResponse:
    check_key(request.headers.get("authorization"))
    message = message_of(request.json)
    await request.app.ctx.messages.insert_one(message)
    return json(answer_of(message), status=202)


@app.get("/v1/messages/<message_id:str>")
async def read(request: Request, message_id: str) -> HTTPResponse:
    check_key(request.headers.get("authorization"))
    message = await request.app.ctx.messages.find_one({"_id": message_id})
    if message is None:
        return json({"error": "There is no such message."}, status=404)
    return json(answer_of(message))
