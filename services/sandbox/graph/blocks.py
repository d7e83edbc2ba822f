"""`/{phone}/block_users`: people whose messages the business does not want.

Process: sandbox.

Source: Meta, "Block users" (2025-12): only who wrote in the last 24 hours can be blocked (131047). A send to a blocked
person fails with 130403, and what they write is not notified.
"""

from services.sandbox.checks.fields import objects_of
from services.sandbox.graph.call import Answer, Call
from services.sandbox.graph.context import GraphContext
from services.sandbox.graph.numbers import number_of
from services.sandbox.graph.paging import page_of
from services.sandbox.wire.faults import GraphFault, status_error
from services.sandbox.wire.shapes import Json, digits_of
from services.sandbox.wire.statuses import WINDOW_S
from services.sandbox.world.phones import USER_ID, Phone

FAILED_SOME = 139100
BLOCKED_MOST = 64_000
IN_ONE_CALL_MOST = 1000
MIN_DIGITS, MAX_DIGITS = 5, 20


async def list_blocked(context: GraphContext, call: Call) -> Answer:
    blocked = number_of(context, call).get("blocked", {})
    entries = []
    for key in blocked:
        phone = context.world.phones.by_key(key)
        entries.append({"messaging_product": "whatsapp", **_entry(key, phone), "user_id": phone.person.user_id})
    return Answer(page_of(call, entries))


async def block(context: GraphContext, call: Call) -> Answer:
    number = number_of(context, call)
    blocked = dict(number.get("blocked", {}))
    added, failed = [], []
    for named, phone in _people(context, call):
        entry = _entry(named, phone)
        at = context.world.messages.last_written_at(phone.key, call.node)
        if at is None or context.world.now() > at + WINDOW_S:
            failed.append({**entry, "errors": [status_error(131047)]})
        else:
            blocked[phone.key] = context.world.now()
            added.append(entry)
    if len(blocked) > BLOCKED_MOST:
        raise GraphFault(139101)
    context.world.numbers.put(call.node, {**number, "blocked": blocked})
    return _answer(context, "added_users", added, failed)


async def unblock(context: GraphContext, call: Call) -> Answer:
    number = number_of(context, call)
    blocked = dict(number.get("blocked", {}))
    removed = []
    for named, phone in _people(context, call):
        blocked.pop(phone.key, None)
        removed.append(_entry(named, phone))
    context.world.numbers.put(call.node, {**number, "blocked": blocked})
    return _answer(context, "removed_users", removed, [])


def _people(context: GraphContext, call: Call) -> list[tuple[str, Phone]]:
    found = []
    for one in objects_of(call.body.get("block_users"), "block_users", least=1, most=IN_ONE_CALL_MOST):
        named = str(one.get("user") or one.get("user_id") or "")
        if USER_ID.fullmatch(named):
            found.append((named, context.world.phones.by_user_id(named)))
        elif MIN_DIGITS <= len(digits_of(named)) <= MAX_DIGITS:
            found.append((named, context.world.phones.by_number(digits_of(named))))
        else:
            raise GraphFault(100, "Param block_users: each entry needs user or user_id.")
    return found


def _entry(named: str, phone: Phone) -> Json:
    if phone.person.wa_id is None:
        return {"input": named, "user_id": phone.person.user_id}
    return {"input": named, "wa_id": phone.person.wa_id}


def _answer(context: GraphContext, key: str, done: list[Json], failed: list[Json]) -> Answer:
    users: Json = {key: done}
    answer: Json = {"messaging_product": "whatsapp", "block_users": users}
    if failed:
        users["failed_users"] = failed
        fault = GraphFault(FAILED_SOME, "Some users could not be blocked.")
        answer.update(fault.envelope(context.world.new_trace_id()))
    return Answer(answer, status=400 if failed and not done else 200)
