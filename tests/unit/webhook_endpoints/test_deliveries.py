"""The engine in virtual time, with scripted subscribers: schedule, isolation, order, and what survives a new owner."""

import asyncio
import itertools
from collections import deque
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from config.errors import RequestRefused
from services.commands import Command
from services.egress import AddressPolicy
from services.store import Database, DatabaseUnavailable, Event
from services.vault import SecretBox, SecretKey
from services.webhook_endpoints import Deliveries, DeliveryOptions, Feed, NumberNames, WebhookEndpointCommands
from services.webhook_endpoints.documents import ATTEMPTS, STREAMS, VAULT, vault_document
from services.webhook_endpoints.endpoint_worker import Keys
from services.webhook_endpoints.records import Endpoint, EndpointStatus, SecretRef, Target, WebhookFormat, public_state
from services.webhook_endpoints.schedule import Schedule
from tests.doubles.clock import START, LoopClock, virtual_time
from tests.doubles.database import MemoryDatabase, Trouble
from tests.doubles.endpoint import OK, FactRecorder, ScriptedSender, failing, log_of

NUMBER = "1555"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STEPS = (5.0, 30.0, 120.0)
DAY_S = 86_400.0
BOX = SecretBox([SecretKey("key-of-the-bench-0123456789-abcdef")])
STRANGER = SecretBox([SecretKey("key-of-nobody-0123456789-abcdefghi")])


def endpoint(name: str, **changes: Any) -> Endpoint:
    made = Endpoint(
        id=f"whe_{name}",
        home=NUMBER,
        format=WebhookFormat.PANAL,
        shown_url=f"https://{name}.example/",
        target_ref=f"whv_{name}",
        secrets=(SecretRef("whv_secret"),),
        events=("*",),
        numbers=(),
        header_names=(),
        description="",
        status=EndpointStatus.ENABLED,
        created_at=START,
        updated_at=START,
        created_by="key_1",
    )
    return replace(made, **changes)


class Bench:
    """One term of the engine over a database in memory."""

    def __init__(self, *names: str, database: MemoryDatabase | None = None, **options: Any) -> None:
        self.sender = ScriptedSender()
        self.book = FactRecorder()
        self.database = database or MemoryDatabase()
        self.names = names
        self.feed = Feed(cast(Database, self.database), {NUMBER: 0})
        self.deliveries = Deliveries(
            cast(Database, self.database),
            self.book,
            box=BOX,
            feed=self.feed,
            names={NUMBER: NumberNames("102", "15550783881")},
            is_owner=lambda: True,
            clock=LoopClock(),
            policy=AddressPolicy(),
            options=DeliveryOptions(schedule=Schedule(STEPS), **options),
        )
        self.task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Bench":
        await self.deliveries._begin(self.sender)
        self.task = asyncio.create_task(self.deliveries._flush_forever())
        for name in self.names:
            self.deliveries.put(endpoint(name), Keys(Target(f"https://{name}.example/"), {"whv_secret": SECRET}))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.task is not None
        tasks = [self.task, *(task for _, task in self.deliveries._workers.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def url(self, name: str) -> str:
        return f"https://{name}.example/"

    def hear(self, events: list[Event]) -> None:
        self.feed.hear(events)

    @property
    def attempts(self) -> list[dict[str, Any]]:
        return list(self.database.rows.get(ATTEMPTS, {}).values())


@virtual_time
async def test_events_arrive_once_signed_and_with_their_number() -> None:
    async with Bench("good") as bench:
        bench.hear(log_of("a", "b", "a"))
        await asyncio.sleep(1)
        assert sorted(bench.sender.taken(bench.url("good"))) == [1, 2, 3]
        first = bench.sender.received[0]
        assert first.headers["webhook-id"] == "evt_1-whe_good"
        assert first.headers["webhook-signature"].startswith("v1,")
        assert [attempt["outcome"] for attempt in bench.attempts] == ["delivered"] * 3


@virtual_time
async def test_a_failing_event_follows_the_schedule_and_becomes_a_dead_letter() -> None:
    async with Bench("bad") as bench:
        bench.sender.scripts[bench.url("bad")] = lambda count, body: failing(500) if body["seq"] == 1 else OK
        bench.hear(log_of("a", "a", "b"))
        await asyncio.sleep(1000)
        tries = bench.sender.tries(bench.url("bad"), 1)
        waits = [after - before for before, after in itertools.pairwise(tries)]
        assert len(tries) == len(STEPS) + 1
        for wait, step in zip(waits, STEPS, strict=True):
            assert step <= wait <= step * 1.2 + 1
        # The other conversation did not wait; the same one did, and goes on after the dead letter.
        assert bench.sender.taken(bench.url("bad")) == [3, 2]
        assert bench.sender.tries(bench.url("bad"), 3)[0] < 1
        assert bench.sender.tries(bench.url("bad"), 2)[0] > tries[-1]
        assert bench.book.types() == ["webhook_endpoint.dead_letter"]
        assert [one["outcome"] for one in bench.attempts if one["seq"] == 1] == ["retry"] * 3 + ["dead"]
        assert bench.attempts[0]["answer"] == "no"


@pytest.mark.parametrize("status", [301, 302, 400, 404, 429, 500, 503, None])
def test_anything_but_2xx_is_tried_again(status: int | None) -> None:
    @virtual_time
    async def run() -> None:
        async with Bench("bad") as bench:
            bench.sender.scripts[bench.url("bad")] = lambda count, body: failing(status) if count == 1 else OK
            bench.hear(log_of("a"))
            await asyncio.sleep(10)
            assert len(bench.sender.tries(bench.url("bad"), 1)) == 2
            assert bench.sender.taken(bench.url("bad")) == [1]

    run()


@virtual_time
async def test_the_body_and_the_id_are_the_same_at_every_try() -> None:
    async with Bench("bad") as bench:
        bench.sender.scripts[bench.url("bad")] = lambda count, body: failing(500) if count < 3 else OK
        bench.hear(log_of("a"))
        await asyncio.sleep(60)
        first, *others = bench.sender.received
        assert len(others) == 2
        assert all(one.body == first.body for one in others)
        assert {one.headers["webhook-id"] for one in bench.sender.received} == {"evt_1-whe_bad"}
        assert len({one.headers["webhook-timestamp"] for one in bench.sender.received}) == 3


@virtual_time
async def test_retry_after_is_honoured() -> None:
    async with Bench("busy") as bench:
        bench.sender.scripts[bench.url("busy")] = lambda count, body: (
            failing(429, retry_after_s=60) if count == 1 else OK
        )
        bench.hear(log_of("a"))
        await asyncio.sleep(100)
        first, second = bench.sender.tries(bench.url("busy"), 1)
        assert 60 <= second - first < 61


@virtual_time
async def test_410_disables_at_once_and_says_so() -> None:
    async with Bench("gone", "good", flush_s=30) as bench:
        bench.sender.scripts[bench.url("gone")] = lambda count, body: failing(410)
        bench.hear(log_of("a", "b"))
        await asyncio.sleep(1)
        bench.hear([Event("evt_3", NUMBER, 3, "message.sent", START, {}, "c")])
        await asyncio.sleep(1000)
        assert len(bench.sender.tries(bench.url("gone"), 3)) == 0
        assert bench.sender.taken(bench.url("good")) == [1, 2, 3]
        disabled = [fact for fact in bench.book.facts if fact.type == "webhook_endpoint.disabled"]
        assert len(disabled) == 1
        assert disabled[0].data["cause"] == "gone"
        assert bench.deliveries.endpoints["whe_gone"].status is EndpointStatus.DISABLED


@virtual_time
async def test_one_bad_of_ten_endpoints_delays_none_of_the_others() -> None:
    names = [f"good{count}" for count in range(9)]
    async with Bench("bad", *names) as bench:
        bench.sender.scripts[bench.url("bad")] = lambda count, body: 30.0
        bench.hear(log_of(*[f"c{count % 40}" for count in range(200)]))
        await asyncio.sleep(2)
        for name in names:
            assert sorted(bench.sender.taken(bench.url(name))) == list(range(1, 201))
        assert all(one.at_s < 1 for one in bench.sender.received if one.url != bench.url("bad"))


@virtual_time
async def test_an_endpoint_is_tried_only_so_often_at_once() -> None:
    async with Bench("slow", concurrency=4) as bench:
        bench.sender.scripts[bench.url("slow")] = lambda count, body: 1.0
        bench.hear(log_of(*[f"c{count}" for count in range(20)]))
        await asyncio.sleep(30)
        assert bench.sender.most_flying == 4
        assert len(bench.sender.taken(bench.url("slow"))) == 20


@virtual_time
async def test_after_two_hours_down_everything_comes_in_order_and_soon() -> None:
    """Many conversations, so that it is seen to be down: it gets probes, not a storm, and nothing is lost."""
    async with Bench("down", flush_s=30) as bench:
        back_at = 7200.0
        bench.sender.scripts[bench.url("down")] = lambda count, body: (
            OK if asyncio.get_running_loop().time() >= back_at else failing(None)
        )
        conversations = [f"c{count % 100}" for count in range(1000)]
        bench.hear(log_of(*conversations))
        await asyncio.sleep(back_at)
        tries = len(bench.sender.received)
        assert bench.book.types()[0] == "webhook_endpoint.failing"
        assert tries < 500
        await asyncio.sleep(400)
        taken = bench.sender.taken(bench.url("down"))
        letters = [fact.data["event_seq"] for fact in bench.book.facts if fact.type == "webhook_endpoint.dead_letter"]
        assert sorted(taken + letters) == list(range(1, 1001))
        assert "webhook_endpoint.recovered" in bench.book.types()
        for key in set(conversations):
            own = [seq for seq in taken if conversations[seq - 1] == key]
            assert own == sorted(own)


@virtual_time
async def test_days_without_a_success_disable_it() -> None:
    async with Bench("dead", disable_after_s=2 * DAY_S, flush_s=600) as bench:
        bench.sender.scripts[bench.url("dead")] = lambda count, body: failing(500)
        bench.hear(log_of(*[f"c{count}" for count in range(300)]))
        await asyncio.sleep(3 * DAY_S)
        types = bench.book.types()
        assert types.count("webhook_endpoint.disabled") == 1
        disabled = next(fact for fact in bench.book.facts if fact.type == "webhook_endpoint.disabled")
        assert disabled.data["cause"] == "failing"
        assert disabled.at - START >= timedelta(days=2)
        count = len(bench.sender.received)
        await asyncio.sleep(DAY_S)
        assert len(bench.sender.received) == count


@virtual_time
async def test_a_database_that_is_away_holds_up_nothing_and_loses_no_attempt() -> None:
    async with Bench("good") as bench:
        bench.database.trouble = deque([Trouble(DatabaseUnavailable("away"))] * 3)
        bench.hear(log_of(*[f"c{count}" for count in range(50)]))
        await asyncio.sleep(10)
        assert len(bench.sender.taken(bench.url("good"))) == 50
        assert len(bench.attempts) == 50


@virtual_time
async def test_a_new_owner_goes_on_from_the_cursor_and_the_parked_lanes() -> None:
    """The first owner died while a conversation waited for its third try; the next has documents alone."""
    database = MemoryDatabase()
    events = log_of("a", "a", "b", "b")
    for one in events:
        database.put(
            "events",
            {
                "_id": one.id,
                "number": one.number,
                "seq": one.seq,
                "type": one.type,
                "at": one.at,
                "data": one.data,
                "conversation": one.conversation_id,
            },
        )
    state = public_state(endpoint("shop"))
    database.put("webhook_endpoints", {"_id": state.pop("endpoint_id"), **state})
    database.put(VAULT, {"_id": "whv_shop", "endpoint": "whe_shop", "url": "https://shop.example/", "headers": {}})
    database.put(VAULT, {"_id": "whv_secret", "endpoint": "whe_shop", "secret": SECRET})
    database.put(
        STREAMS, {"_id": f"whe_shop:{NUMBER}", "endpoint": "whe_shop", "number": NUMBER, "kind": "live", "cursor": 3}
    )
    database.put(
        "webhook_lanes",
        {
            "_id": f"whe_shop:{NUMBER}|a",
            "endpoint": "whe_shop",
            "stream": f"whe_shop:{NUMBER}",
            "key": "a",
            "seqs": [1, 2],
            "attempts": 2,
            "due_at": (START + timedelta(seconds=90)).timestamp(),
        },
    )
    bench = Bench(database=database)
    bench.feed = bench.deliveries.feed = Feed(cast(Database, database), {NUMBER: 4})
    async with bench:
        await asyncio.sleep(60)
        assert bench.sender.taken(bench.url("shop")) == [4]
        await asyncio.sleep(60)
        assert bench.sender.taken(bench.url("shop")) == [4, 1, 2]
        assert [one["attempt"] for one in bench.attempts if one["seq"] == 1] == [3]


def command(kind: str, **data: Any) -> Command:
    return Command("cmd_01", f"webhook_endpoint.{kind}", {"endpoint_id": "whe_shop", **data}, "key_1")


@virtual_time
async def test_a_paused_endpoint_waits_and_goes_on_where_it_stopped() -> None:
    async with Bench("shop") as bench:
        commands = WebhookEndpointCommands(bench.deliveries, cast(Database, bench.database), LoopClock())
        bench.database.put(VAULT, {"_id": "whv_shop", "url": bench.url("shop"), "headers": {}})
        bench.database.put(VAULT, {"_id": "whv_secret", "secret": SECRET})
        outcome = await commands.pause(command("pause"))
        assert [fact.type for fact in outcome.facts] == ["webhook_endpoint.paused"]
        bench.hear(log_of("a", "b"))
        await asyncio.sleep(10)
        assert bench.sender.received == []
        await commands.resume(command("resume"))
        await asyncio.sleep(1)
        assert bench.sender.taken(bench.url("shop")) == [1, 2]


@virtual_time
async def test_a_range_is_delivered_again_in_order_and_ends() -> None:
    async with Bench("shop") as bench:
        commands = WebhookEndpointCommands(bench.deliveries, cast(Database, bench.database), LoopClock())
        bench.hear(log_of("a", "a", "b", "a"))
        await asyncio.sleep(1)
        outcome = await commands.redeliver(command("redeliver", phone_number_id=NUMBER, from_seq=2, to_seq=3))
        assert outcome.result["redeliveries"][0]["count"] == 2
        await asyncio.sleep(1)
        assert bench.sender.taken(bench.url("shop"))[4:] == [2, 3]
        assert bench.book.types() == ["webhook_endpoint.redelivered"]
        assert len(bench.deliveries._workers["whe_shop"][0].streams) == 1


@virtual_time
async def test_what_was_never_there_cannot_be_delivered_again() -> None:
    async with Bench("shop") as bench:
        commands = WebhookEndpointCommands(bench.deliveries, cast(Database, bench.database), LoopClock())
        with pytest.raises(RequestRefused) as caught:
            await commands.redeliver(command("redeliver", phone_number_id=NUMBER, from_seq=5, to_seq=9))
        assert caught.value.code == "nothing_to_redeliver"


@virtual_time
async def test_a_rotation_signs_with_both_secrets_until_the_old_one_ends() -> None:
    async with Bench("shop") as bench:
        commands = WebhookEndpointCommands(bench.deliveries, cast(Database, bench.database), LoopClock())
        bench.database.put(VAULT, {"_id": "whv_shop", "url": bench.url("shop"), "headers": {}})
        bench.database.put(VAULT, {"_id": "whv_secret", "secret": SECRET}, {"_id": "whv_new", "secret": SECRET})
        await commands.rotate_secret(command("rotate_secret", secret="whv_new", overlap_s=100))
        bench.hear(log_of("a"))
        await asyncio.sleep(1)
        await asyncio.sleep(200)
        bench.hear([Event("evt_2", NUMBER, 2, "message.sent", START, {}, "a")])
        await asyncio.sleep(1)
        signatures = [one.headers["webhook-signature"].count("v1,") for one in bench.sender.received]
        assert signatures == [2, 1]


@virtual_time
async def test_an_endpoint_is_not_told_of_itself_but_of_others() -> None:
    async with Bench("shop") as bench:
        own = Event("evt_1", NUMBER, 1, "webhook_endpoint.updated", START, {"endpoint_id": "whe_shop"})
        other = Event("evt_2", NUMBER, 2, "webhook_endpoint.updated", START, {"endpoint_id": "whe_other"})
        bench.hear([own, other])
        await asyncio.sleep(1)
        assert bench.sender.taken(bench.url("shop")) == [2]


@virtual_time
async def test_at_a_stop_tries_under_way_get_a_moment_and_no_new_one_begins() -> None:
    async with Bench("slow", concurrency=2) as bench:
        bench.sender.scripts[bench.url("slow")] = lambda count, body: 0.5
        bench.hear(log_of("a", "b", "c", "d"))
        await asyncio.sleep(0.1)
        await bench.deliveries._end()
        assert sorted(bench.sender.taken(bench.url("slow"))) == [1, 2]
        assert sorted(one["seq"] for one in bench.attempts) == [1, 2]


@virtual_time
async def test_a_deleted_endpoint_gets_nothing_more() -> None:
    async with Bench("shop", "other") as bench:
        commands = WebhookEndpointCommands(bench.deliveries, cast(Database, bench.database), LoopClock())
        outcome = await commands.delete(command("delete"))
        assert [fact.type for fact in outcome.facts] == ["webhook_endpoint.deleted"]
        bench.hear(log_of("a"))
        await asyncio.sleep(1)
        assert bench.sender.taken(bench.url("shop")) == []
        assert bench.sender.taken(bench.url("other")) == [1]
        again = await commands.delete(command("delete"))
        assert not again.facts


def stored(database: MemoryDatabase, box: SecretBox, **changes: Any) -> None:
    """One endpoint with its vault, as a worker with this key left it."""
    state = public_state(endpoint("shop", **changes))
    database.put("webhook_endpoints", {"_id": state.pop("endpoint_id"), **state})
    database.put(VAULT, vault_document("whv_shop", "whe_shop", Target("https://shop.example/in/t0ken?a=b"), BOX))
    database.put(VAULT, vault_document("whv_secret", "whe_shop", SECRET, box))


@virtual_time
async def test_sealed_secrets_sign_as_clear_ones_did() -> None:
    database = MemoryDatabase()
    stored(database, BOX, shown_url="https://shop.example/***")
    async with Bench(database=database) as bench:
        bench.hear(log_of("a"))
        await asyncio.sleep(1)
        assert bench.sender.taken("https://shop.example/in/t0ken?a=b") == [1]
        assert bench.book.types() == []


@virtual_time
async def test_nothing_leaves_unsigned_when_a_secret_does_not_open_and_nothing_is_lost() -> None:
    database = MemoryDatabase()
    stored(database, STRANGER, shown_url="https://shop.example/***")
    async with Bench(database=database) as bench:
        commands = WebhookEndpointCommands(bench.deliveries, cast(Database, bench.database), LoopClock())
        bench.hear(log_of("a", "b"))
        await asyncio.sleep(2 * DAY_S)
        assert bench.sender.received == []
        assert bench.book.types() == [], "waiting is no failure of the endpoint"
        database.put(VAULT, vault_document("whv_new", "whe_shop", SECRET, BOX))
        await commands.rotate_secret(command("rotate_secret", secret="whv_new", overlap_s=100))
        await asyncio.sleep(1)
        assert bench.sender.taken("https://shop.example/in/t0ken?a=b") == [1, 2]


@virtual_time
async def test_an_endpoint_whose_secret_nobody_here_can_open_is_not_made_and_not_resumed() -> None:
    database = MemoryDatabase()
    database.put(VAULT, vault_document("whv_shop", "whe_shop", Target("https://shop.example/"), STRANGER))
    database.put(VAULT, vault_document("whv_secret", "whe_shop", SECRET, STRANGER))
    data = {
        "target": "whv_shop", "secret": "whv_secret", "shown_url": "https://shop.example/", "header_names": [],
        "format": "panal", "events": ["*"], "numbers": [], "description": "",
    }  # fmt: skip
    async with Bench(database=database) as bench:
        commands = WebhookEndpointCommands(bench.deliveries, cast(Database, bench.database), LoopClock())
        with pytest.raises(RequestRefused) as refused:
            await commands.create(command("create", **data))
        assert refused.value.code == "secret_unreadable"
        assert bench.deliveries.endpoints == {}
    database = MemoryDatabase()
    stored(database, STRANGER, status=EndpointStatus.PAUSED)
    async with Bench(database=database) as bench:
        commands = WebhookEndpointCommands(bench.deliveries, cast(Database, bench.database), LoopClock())
        with pytest.raises(RequestRefused) as refused:
            await commands.resume(command("resume"))
        assert refused.value.code == "secret_unreadable"
        assert bench.deliveries.endpoints["whe_shop"].status is EndpointStatus.PAUSED


@virtual_time
async def test_an_endpoint_of_an_earlier_version_shows_its_host_alone_from_now_on() -> None:
    database = MemoryDatabase()
    stored(database, BOX, shown_url="https://shop.example/in/t0ken?***")
    async with Bench(database=database) as bench:
        assert bench.book.types() == ["webhook_endpoint.updated"]
        assert "t0ken" not in str(bench.book.facts)
        assert bench.deliveries.endpoints["whe_shop"].shown_url == "https://shop.example/***"


@virtual_time
async def test_a_receiver_that_echoes_leaves_no_secret_in_its_attempts() -> None:
    database = MemoryDatabase()
    stored(database, BOX, shown_url="https://shop.example/***")
    url = "https://shop.example/in/t0ken?a=b"
    async with Bench(database=database) as bench:
        bench.sender.scripts[url] = lambda count, body: replace(OK, body=f"{url} was signed with {SECRET}")
        bench.hear(log_of("a"))
        await asyncio.sleep(1)
        assert [one["answer"] for one in bench.attempts] == ["https://shop.example*** was signed with ***"]
