"""What lists and reads cost as the store fills: the same calls with 1,000 and with 200,000 stored messages.

Process: a command.
"""

import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import MongoClient

from benchmarks import wire
from benchmarks.servers import NUMBER, Server
from config.ids import new_id
from services.messages import Direction, Message, MessageStatus, message_document

CONTACTS = 20
"""So few that each has a whole page already when 1,000 messages are stored: the pages that are compared are alike."""
REPEATS = 40


def fill(uri: str, *, have: int, want: int) -> list[str]:
    """Store messages of the last 30 days until there are so many; some of their ids."""
    client: MongoClient[dict[str, Any]] = MongoClient(uri)
    messages = client["panal"]["messages"]
    phones, chance, now = wire.recipients(CONTACTS), random.Random(3), datetime.now(UTC)
    ids: list[str] = []
    for begin in range(have, want, 1_000):
        batch = []
        for position in range(begin, min(begin + 1_000, want)):
            at = now - timedelta(days=30) * (1 - (position + 1) / want)
            phone = chance.choice(phones)
            message = Message(
                id=new_id("msg"),
                order=(int(at.timestamp() * 1000) << 20) + position,
                direction=Direction.OUT,
                phone_number_id=NUMBER,
                kind="text",
                payload={"type": "text", "text": {"body": "An older message."}},
                status=MessageStatus.READ,
                created_at=at,
                to=phone,
                conversation_id=f"cnv_{phone}",
                wamid=f"wamid.OLD{position}",
                seq=1,
            )
            batch.append(message_document(message))
        messages.insert_many(batch, ordered=False)
        ids += [document["_id"] for document in batch[:3]]
    client.close()
    return ids


def cost_of_calls(server: Server, ids: list[str]) -> dict[str, float]:
    """Milliseconds, p50, of every list and read call, one at a time."""
    phone = wire.recipients(CONTACTS)[7]
    paths = {
        "GET /v1/messages/{id}": [f"/v1/messages/{message_id}" for message_id in ids[:REPEATS]],
        "GET /v1/messages": ["/v1/messages?limit=50"],
        "GET /v1/messages?to=": [f"/v1/messages?to={phone}&limit=50"],
        "GET /v1/messages?conversation_id=": [f"/v1/messages?conversation_id=cnv_{phone}&limit=50"],
        "GET /v1/messages?status=read": ["/v1/messages?status=read&limit=50"],
        "GET /v1/messages?direction=out": ["/v1/messages?direction=out&limit=50"],
        "GET /v1/messages?phone_number_id=&status=": [f"/v1/messages?phone_number_id={NUMBER}&status=read&limit=50"],
        "GET /v1/conversations": ["/v1/conversations?limit=50"],
        "GET /v1/conversations?search=": ["/v1/conversations?search=6505550&limit=50"],
        "GET /v1/contacts": ["/v1/contacts?limit=50"],
        "GET /v1/contacts?search=": ["/v1/contacts?search=6505550&limit=50"],
        "GET /v1/events": ["/v1/events?after=0&limit=50"],
        "GET /v1/cluster": ["/v1/cluster"],
    }
    costs = {}
    with server.client() as client:
        for name, ways in paths.items():
            times = []
            for turn in range(REPEATS):
                began = time.perf_counter()
                client.get(ways[turn % len(ways)]).raise_for_status()
                times.append((time.perf_counter() - began) * 1000)
            costs[name] = statistics.median(times)
    return costs
