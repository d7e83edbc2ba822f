"""Two numbers, each with its people, and what a key of the first might try at the second.

`seed` makes the world through the API, as its operators would; `calls_of` lists for an operation of the API what a
limited key might send: its own things, the other number's things, and the other number's things inside its own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

MARK: Final = "markofb"
"""Stands in every text that the second number knows, and nowhere else."""
PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(200)
TEXT_CSV: Final = {"content-type": "text/csv"}


@dataclass
class Side:
    """One number and what it has; ``ids`` by the name of the path parameter that they stand for."""

    number: str
    waba: str
    phone: str
    word: str
    ids: dict[str, str] = field(default_factory=dict)
    wamid: str = ""
    user_id: str = ""


@dataclass(frozen=True)
class Call:
    """One request. ``is_foreign``: what its path names belongs to the other number."""

    method: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)
    is_foreign: bool = False

    @property
    def text(self) -> str:
        """All that the caller says by himself: an answer may repeat it."""
        return f"{self.path} {self.options}"


class Refused(AssertionError):
    """The seed was refused."""


def ask(client: httpx.Client, method: str, path: str, *, expect: int, **options: Any) -> Any:
    """One call of the seed."""
    answer = client.request(method, path, **options)
    if answer.status_code != expect:
        raise Refused(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.json() if answer.content else None


def seed(
    client: httpx.Client, sandbox: httpx.Client, side: Side, wait: Callable[[Callable[[], Any], str], Any]
) -> None:
    """Fill one number, with a key for every number."""
    word, number, phone = side.word, side.number, side.phone
    sandbox.put(f"/_sandbox/phones/{phone}", json={"name": f"{word} profile"}).raise_for_status()
    said = {"type": "text", "text": {"body": f"{word} said"}, "phone_number_id": number}
    side.wamid = sandbox.post(f"/_sandbox/phones/{phone}/messages", json=said).raise_for_status().json()["wamid"]

    def inbound() -> Any:
        found = ask(client, "GET", "/v1/conversations", expect=200, params={"phone_number_id": number})["data"]
        return found[0] if found else None

    conversation = wait(inbound, f"{phone} has a conversation")
    side.ids["conversation_id"] = conversation["id"]
    sent = {"from": number, "to": phone, "type": "text", "text": {"body": f"{word} text"}, "metadata": {"x": word}}
    side.ids["message_id"] = ask(client, "POST", "/v1/messages", expect=202, json=sent)["id"]
    place = f"/v1/conversations/{conversation['id']}"
    ask(client, "PATCH", place, expect=200, json={"labels": [f"{word} label"], "assignee": f"{word} agent"})
    ask(client, "POST", f"{place}/notes", expect=201, json={"text": f"{word} note"})
    profile = {"from": number, "to": phone, "name": f"{word} name", "labels": [f"{word}-label"]}
    contact = ask(client, "POST", "/v1/contacts", expect=200, json={**profile, "attributes": {"plan": f"{word} plan"}})
    side.ids["contact_id"], side.user_id = contact["id"], contact["user_id"]
    consent = {"from": number, "category": "marketing", "source": f"{word} form", "proof": f"{word} proof"}
    ask(client, "POST", f"/v1/contacts/{contact['id']}/opt-out", expect=200, json=consent)
    file = {"file": (f"{word}.png", PNG, "image/png")}
    media = ask(client, "POST", "/v1/media", expect=201, params={"phone_number_id": number}, files=file)
    side.ids["media_id"] = media["id"]
    template = {"name": f"{word}_template", "language": "en_US", "category": "UTILITY"}
    template |= {"components": [{"type": "BODY", "text": f"{word} template"}]}  # type: ignore[dict-item]
    made = ask(client, "POST", "/v1/templates", expect=201, json={**template, "waba_id": side.waba})
    side.ids["template_id"] = made["id"]
    hello = {"name": f"{word}_template", "language": {"code": "en_US"}}
    campaign = {"name": f"{word} campaign", "from": number, "template": hello, "category": "utility"}
    people = {"recipients": [{"to": phone, "variables": {"name": f"{word} variable"}}]}
    campaign |= {"audience": people}
    side.ids["campaign_id"] = ask(client, "POST", "/v1/campaigns", expect=201, json=campaign)["id"]
    endpoint = {"url": f"http://127.0.0.1:9/{word}", "description": f"{word} endpoint", "numbers": [number]}
    side.ids["endpoint_id"] = ask(client, "POST", "/v1/webhook-endpoints", expect=201, json=endpoint)["id"]
    reply = {"text": f"{word} reply", "shortcut": word, "phone_number_id": number}
    side.ids["reply_id"] = ask(client, "POST", "/v1/quick-replies", expect=201, json=reply)["id"]
    key = {"name": f"{word} key", "scopes": ["console", "messages:read"], "numbers": [number]}
    side.ids["key_id"] = ask(client, "POST", "/v1/keys", expect=201, json=key)["id"]
    side.ids["phone_number_id"] = number
    stored = ask(client, "GET", "/v1/notifications", expect=200, params={"state": "done"})["data"]
    bodies = {one["id"]: ask(client, "GET", f"/v1/notifications/{one['id']}", expect=200)["body"] for one in stored}
    side.ids["notification_id"] = next(id_ for id_, body in bodies.items() if f"{word} said" in body)


def marks_of(side: Side) -> frozenset[str]:
    """What must be in no answer of a key that is limited to another number.

    A contact is one person for all numbers, under one id: who knows an address is told that id.
    """
    ids = {value for name, value in side.ids.items() if name not in ("notification_id", "contact_id")}
    return frozenset({side.word, side.phone, side.number, side.waba, side.wamid, side.user_id, *ids})


def parameters_of(path: str) -> list[str]:
    """Names of the parameters of a route's path."""
    return [part.partition(":")[0].lstrip("<") for part in path.split("/") if part.startswith("<")]


def filled(path: str, side: Side) -> str:
    """A route's path with this side's ids in it."""
    parts = [side.ids[part.partition(":")[0].lstrip("<")] if part.startswith("<") else part for part in path.split("/")]
    return "/".join(parts)


Bodies = Callable[[Side, Side], list[dict[str, Any]]]
"""Options of requests, from (ours, theirs)."""


def _json(*bodies: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"json": dict(body)} for body in bodies]


def _query(**names: str) -> list[dict[str, Any]]:
    return [{"params": {name: value}} for name, value in names.items()]


def _sends(own: Side, other: Side) -> list[dict[str, Any]]:
    text = {"type": "text", "text": {"body": "hi"}}
    image = {"type": "image", "image": {"id": other.ids["media_id"]}}
    return _json(
        {"from": own.number, "to": own.phone, **text},
        {"from": other.number, "to": other.phone, **text},
        {"from": own.number, "to": own.phone, **image},
        {"from": own.number, "to": own.phone, "context": {"message_id": other.wamid}, **text},
    )


def _contacts(own: Side, other: Side) -> list[dict[str, Any]]:
    profile = {"name": "taken", "labels": ["taken"], "attributes": {"plan": None, "x": "taken"}}
    return _json(
        {"to": other.phone},
        {"to": other.phone, **profile},
        {"to": other.phone, "from": other.number, **profile},
        {"to": own.phone, "from": other.number, "name": "x"},
        {"to": own.phone, "name": "ours"},
    )


def _decisions(own: Side, other: Side) -> list[dict[str, Any]]:
    return _json(
        {"to": other.phone},
        {"to": other.phone, "category": "marketing"},
        {"to": other.phone, "from": other.number},
        {"to": own.phone, "category": "marketing"},
    )


def _files(own: Side, other: Side) -> list[dict[str, Any]]:
    lines = f"to,name,labels,opt_in,opt_out\n{other.phone},taken,taken,all,\n{other.phone},,,,all\n".encode()
    return [
        {"content": lines, "headers": TEXT_CSV},
        {"content": lines, "headers": TEXT_CSV, "params": {"from": other.number}},
    ]


def _filters(own: Side, other: Side) -> list[dict[str, Any]]:
    return [
        {},
        *_query(search=other.word, label=f"{other.word}-label", opted_out="marketing"),
        {"params": {"search": other.phone}},
        {"params": {"limit": "1"}},
    ]


def _campaigns(own: Side, other: Side) -> list[dict[str, Any]]:
    template = {"name": "hello_world", "language": {"code": "en_US"}}
    base = {"name": "c", "template": template, "category": "utility"}
    return _json(
        {**base, "from": other.number, "audience": {"recipients": [other.phone]}},
        {**base, "audience": {"label": "taken"}},
    )


def _endpoints(own: Side, other: Side) -> list[dict[str, Any]]:
    url = "http://127.0.0.1:9/own"
    return _json(
        {"url": url, "numbers": [other.number]},
        {"url": url, "numbers": [own.number, other.number]},
        {"url": url, "numbers": []},
    )


def _new_keys(own: Side, other: Side) -> list[dict[str, Any]]:
    base = {"name": "made", "scopes": ["messages:read"]}
    return _json(
        base,
        {**base, "numbers": []},
        {**base, "numbers": [other.number]},
        {**base, "numbers": [own.number, other.number]},
        {**base, "numbers": [own.number]},
        {**base, "scopes": ["admin", "messages:send", "numbers"], "numbers": [own.number]},
        {**base, "numbers": [own.number], "expires_at": "2999-01-01T00:00:00Z"},
    )


def _templates(own: Side, other: Side) -> list[dict[str, Any]]:
    made = {"name": "made_here", "language": "en_US", "category": "UTILITY"}
    made |= {"components": [{"type": "BODY", "text": "x"}]}  # type: ignore[dict-item]
    return _json({**made, "waba_id": other.waba})


def _numbered(own: Side, other: Side) -> list[dict[str, Any]]:
    return [{}, *_query(phone_number_id=other.number), {"params": {"phone_number_id": own.number}}]


def _redeliveries(own: Side, other: Side) -> list[dict[str, Any]]:
    span = {"phone_number_id": other.number, "from_seq": 1, "to_seq": 50}
    return _json(span, {"since": "2020-01-01T00:00:00Z"}, {"dead_letters": True}, {"event_ids": ["evt_1"]})


def _phones(own: Side, other: Side) -> list[dict[str, Any]]:
    text = {"type": "text", "text": {"body": "as customer"}}
    return _json({**text, "phone_number_id": other.number})


BODIES: Final[Mapping[str, Bodies]] = {
    "POST /v1/messages": _sends,
    "POST /v1/messages/batch": lambda own, other: _json({"messages": [one["json"] for one in _sends(own, other)]}),
    "GET /v1/messages": lambda own, other: [
        {},
        *_query(
            **{"from": other.number, "to": other.phone},
            conversation_id=other.ids["conversation_id"],
            campaign_id=other.ids["campaign_id"],
        ),
        {"params": {"limit": "1"}},
    ],
    "PATCH /v1/messages/{}": lambda own, other: _json({"send_at": "2999-01-01T00:00:00Z"}),
    "GET /v1/conversations": lambda own, other: [
        {},
        *_query(
            phone_number_id=other.number,
            q=other.word,
            label=f"{other.word} label",
            assignee=f"{other.word} agent",
            wa_id=other.phone,
        ),
        {"params": {"limit": "1"}},
    ],
    "PATCH /v1/conversations/{}": lambda own, other: _json({"assignee": "me", "labels": ["x"], "status": "closed"}),
    "POST /v1/conversations/{}/notes": lambda own, other: _json({"text": "note"}),
    "GET /v1/quick-replies": _numbered,
    "POST /v1/quick-replies": lambda own, other: _json(
        {"text": "x", "phone_number_id": other.number}, {"text": "x"}, {"text": "x", "phone_number_id": own.number}
    ),
    "PATCH /v1/quick-replies/{}": lambda own, other: _json({"text": "y"}, {"phone_number_id": other.number}),
    "POST /v1/campaigns": _campaigns,
    "PATCH /v1/campaigns/{}": lambda own, other: _json({"name": "renamed"}),
    "POST /v1/campaigns/{}/recipients": lambda own, other: _json({"recipients": [other.phone]}),
    "GET /v1/contacts": _filters,
    "GET /v1/contacts/export": _filters,
    "POST /v1/contacts": _contacts,
    "POST /v1/contacts/import": _files,
    "POST /v1/contacts/opt-out": _decisions,
    "POST /v1/contacts/opt-in": _decisions,
    "PATCH /v1/contacts/{}": lambda own, other: _json({"name": "taken"}, {"name": "x", "from": other.number}),
    "POST /v1/contacts/{}/opt-out": lambda own, other: _json({}, {"from": other.number}),
    "POST /v1/contacts/{}/opt-in": lambda own, other: _json({}, {"from": other.number}),
    "POST /v1/media": lambda own, other: [
        {"files": {"file": ("a.png", PNG, "image/png")}, "params": {"phone_number_id": other.number}},
        {"files": {"file": ("a.png", PNG, "image/png")}},
    ],
    "GET /v1/templates": lambda own, other: [{}, *_query(waba_id=other.waba, name=f"{other.word}_template")],
    "POST /v1/templates": _templates,
    "POST /v1/templates/sync": lambda own, other: [*_query(waba_id=other.waba)],
    "PATCH /v1/templates/{}": lambda own, other: _json({"components": [{"type": "BODY", "text": "y"}]}),
    "GET /v1/events": lambda own, other: [
        {"params": {"limit": "200"}},
        {"params": {"limit": "200", "after": "0", "phone_number_id": other.number}},
    ],
    "GET /v1/events/stream": lambda own, other: [*_query(phone_number_id=other.number)],
    "GET /v1/events/ws": lambda own, other: [*_query(phone_number_id=other.number)],
    "GET /v1/notifications": lambda own, other: [{}, *_query(state="done")],
    "POST /v1/webhook-endpoints": _endpoints,
    "PATCH /v1/webhook-endpoints/{}": lambda own, other: _json(
        {"numbers": [other.number]}, {"numbers": []}, {"description": "d"}
    ),
    "POST /v1/webhook-endpoints/{}/redeliver": _redeliveries,
    "PATCH /v1/numbers/{}": lambda own, other: _json({"rate_per_s": 5}),
    "POST /v1/keys": _new_keys,
    "GET /console/latest-events": lambda own, other: [{"params": {"limit": "200"}}],
}
"""What goes with an operation, where an empty request says too little."""


def _paths_of_phones(own: Side, other: Side) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Calls of the emulated phones, which share one route: method, path and options."""
    text = {"type": "text", "text": {"body": "as customer"}}
    for phone in (own.phone, other.phone):
        for query in ("", f"?numbers={other.number}", f"?numbers={own.number},{other.number}&numbers="):
            yield "GET", f"phones{query}", {}
            yield "GET", f"phones/{phone}{query}", {}
            yield "GET", f"phones/{phone}/messages{query}", {}
        for number in (None, other.number):
            message = text if number is None else {**text, "phone_number_id": number}
            yield "POST", f"phones/{phone}/messages", {"json": message}
    stolen = {"type": "image", "image": {"id": "1"}, "phone_number_id": own.number}
    yield "POST", f"phones/{own.phone}/messages", {"json": stolen}
    yield "PUT", f"phones/{other.phone}", {"json": {"name": "taken", "online": False}}
    yield "PUT", "phones/*", {"json": {"online": False}}
    yield "DELETE", f"phones/{other.phone}", {}
    yield "GET", "rules", {}
    yield "POST", "rules", {"json": {"match": {}, "then": {"error": 131000}}}
    yield "DELETE", "rules", {}
    yield "GET", "settings", {}
    yield "PUT", "settings", {"json": {"pair_limit": True}}


def calls_of(method: str, path: str, operation: str, own: Side, other: Side) -> Iterator[Call]:
    """What a key of ``own`` might send to this operation. KeyError: a path parameter of which nothing is known."""
    if path.startswith("/console/sandbox/<path"):
        for verb, rest, options in _paths_of_phones(own, other):
            if verb == method:
                yield Call(method, f"/console/sandbox/{rest}", options)
        return
    make = BODIES.get(operation)
    options_of = make(own, other) if make is not None else [{}]
    named = parameters_of(path)
    for side in (other, own) if named else (own,):
        if side is own and method == "DELETE":
            continue  # its own things are still needed
        for options in options_of:
            yield Call(method, filled(path, side), options, is_foreign=bool(named) and side is other)
