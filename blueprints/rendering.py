"""Records as JSON: the shapes of the native API.

Process: worker.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, AnyStr, Final, cast

import orjson
from sanic import HTTPResponse
from sanic.headers import format_http1_response

from blueprints.request_reading import cursor_text
from config import limits
from config.clock import rfc3339
from config.errors import RequestRefused
from services.conversations import Conversation, Note
from services.events import event_json
from services.messages import Accepted, Direction, Message

__all__ = [
    "accepted_json",
    "conversation_json",
    "event_json",
    "json_response",
    "message_json",
    "page_response",
    "refused_json",
]

_JSON_LINE: Final = b"content-type: application/json\r\n"
_OF_THE_CONNECTION: Final = frozenset({"content-length", "connection", "transfer-encoding"})
_BODILESS: Final = frozenset({204, 304})


@lru_cache(maxsize=64)
def _status_line(status: int) -> bytes:
    return format_http1_response(status, ())[:-2]


class JsonAnswer(HTTPResponse):
    """A response that goes out in one piece, its head put together here.

    Sanic translates and encodes every header of every answer, in several steps. Whatever is not a whole answer with a
    body on a connection of ours goes Sanic's way.
    """

    async def send(self, data: AnyStr | None = None, end_stream: bool | None = None) -> None:
        """Head and body, as ``BaseHTTPResponse.send``."""
        stream, body, status = cast(Any, self.stream), self.body, self.status
        if (
            data is not None
            or not end_stream
            or not body
            or status < 200
            or status in _BODILESS
            or not getattr(stream, "takes_whole_answers", False)
            or not _OF_THE_CONNECTION.isdisjoint(self.headers)
        ):
            await super().send(data, end_stream)
            return
        self.headers.setdefault("content-type", self.content_type)
        head = [_status_line(status)]
        for name, value in self.headers.items():
            if name == "content-type" and value == "application/json":
                head.append(_JSON_LINE)
            else:
                head.append(self._line(name, value))
        connection = b"keep-alive" if stream.keep_alive else b"close"
        head.append(b"content-length: %d\r\nconnection: %b\r\n\r\n%b" % (len(body), connection, body))
        await stream.answer_whole(b"".join(head), size=len(body))

    def _line(self, name: str, value: Any) -> bytes:
        """Sanic's own cleaning: it keeps line breaks out of a header. What is printable has none."""
        if name.isascii() and type(value) is str and value.isprintable() and name.isprintable():
            return f"{name}: {value}\r\n".encode(errors="surrogateescape")
        return b"%b: %b\r\n" % (
            self._sanitize_header_value(name).encode("ascii"),
            self._sanitize_header_value(f"{value}").encode(errors="surrogateescape"),
        )


def json_response(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    """A JSON answer; moments become RFC 3339 with milliseconds."""
    return JsonAnswer(json_bytes(body), status=status, headers=dict(headers or {}), content_type="application/json")


def json_bytes(body: Any) -> bytes:
    """JSON; moments as RFC 3339 with milliseconds."""
    try:
        return orjson.dumps(body, default=_text, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except orjson.JSONEncodeError:  # a key that is no plain text: rare, and twice as slow
        return orjson.dumps(body, default=_text, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS)


def head_of(status: int, more: bytes = b"") -> bytes:
    """Status line and headers of a JSON answer, without those of the connection. ``more``: header lines of ours."""
    return _status_line(status) + more + _JSON_LINE


def page_response(items: list[dict[str, Any]], *, limit: int, last: int | None) -> HTTPResponse:
    """A list; ``last`` is the sort key of its last item. A short page is the last one."""
    is_full = len(items) == limit and last is not None
    return json_response({"data": items, "next_cursor": cursor_text(last) if is_full and last else None})


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def accepted_json(accepted: Accepted) -> dict[str, Any]:
    """The answer to an accepted message: the same for a replay, whatever became of the message since."""
    send_at, created_at = accepted.send_at, accepted.created_at
    return {
        "id": accepted.id,
        "status": "scheduled" if send_at is not None and send_at > created_at else "queued",
        "from": accepted.phone_number_id,
        "to": accepted.to,
        "type": accepted.kind,
        "created_at": created_at,
        "send_at": send_at,
    }


def refused_json(refusal: RequestRefused) -> dict[str, Any]:
    """One refused item of a batch: the members of a problem that concern the item."""
    error: dict[str, Any] = {
        "code": refusal.code,
        "detail": refusal.text,
        "errors": [{"path": fault.path, "reason": fault.reason} for fault in refusal.faults],
    }
    if "graph_code" in refusal.extra:
        error["graph_code"] = refusal.extra["graph_code"]
    return {"error": error}


def message_json(message: Message, *, has_timeline: bool = True) -> dict[str, Any]:
    """A message with its state; ``timeline`` begins with its acceptance."""
    is_out = message.direction is Direction.OUT
    first = "queued" if is_out else "received"
    if message.send_at is not None and message.send_at > message.created_at:
        first = "scheduled"
    body: dict[str, Any] = {
        # First, so that nothing WhatsApp sends can pose as one of our own fields.
        **message.payload,
        "id": message.id,
        "direction": message.direction.value,
        "status": message.status.value,
        "phone_number_id": message.phone_number_id,
        "from": message.phone_number_id if is_out else message.from_wa_id,
        "to": message.to if is_out else message.phone_number_id,
        "conversation_id": message.conversation_id,
        "wamid": message.wamid,
        "context": {"message_id": message.context_wamid} if message.context_wamid else None,
        "created_at": message.created_at,
        "updated_at": message.updated_at or message.created_at,
        "attempts": message.attempt_count,
        "held_reason": message.held_reason,
        "held_until": message.held_until,
        "send_at": message.send_at,
        "expires_at": message.expires_at,
        "error": message.error,
        "pricing": message.pricing,
        "metadata": message.metadata,
        "priority": message.priority.value,
        "campaign_id": message.campaign_id,
        "seq": message.seq,
        "type": message.kind,
    }
    if message.from_user_id:
        body["from_user_id"] = message.from_user_id
    if has_timeline:
        body["timeline"] = [
            {"status": first, "at": message.created_at, "seq": None},
            *(
                {"status": entry.status.value, "at": entry.at, "seq": entry.seq, **entry.detail}
                for entry in message.timeline
            ),
        ]
    return body


def conversation_json(conversation: Conversation, status: str | None = None) -> dict[str, Any]:
    """A conversation as lists and details show it. ``window_closes_at`` is null when the customer never wrote.

    ``status`` is how far its last message came.
    """
    preview, last_inbound_at = conversation.preview, conversation.last_inbound_at
    return {
        "id": conversation.id,
        "phone_number_id": conversation.phone_number_id,
        "contact": {
            "wa_id": conversation.wa_id,
            "user_id": conversation.user_id,
            "name": conversation.name,
            "group_id": conversation.group_id,
        },
        "status": "open" if conversation.is_open else "closed",
        "unread_count": conversation.unread_count,
        "assignee": conversation.assignee,
        "labels": list(conversation.labels),
        "window_closes_at": last_inbound_at + limits.CUSTOMER_SERVICE_WINDOW if last_inbound_at else None,
        "created_at": conversation.created_at,
        "last_inbound_at": conversation.last_inbound_at,
        "last_outbound_at": conversation.last_outbound_at,
        "last_message": None
        if preview is None
        else {
            "id": preview.message_id,
            "direction": preview.direction,
            "type": preview.kind,
            "text": preview.text,
            "at": preview.at,
            "status": "received" if preview.direction == "in" else status,
        },
    }


def note_json(note: Note) -> dict[str, Any]:
    """A note. ``by`` is the id of the key that wrote it."""
    return {"id": note.id, "text": note.text, "by": note.by, "by_name": note.by_name, "at": note.at}
