"""Who may come in, and by when a request has to be here."""

from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import pytest
from sanic.http.constants import Stage

from config.settings.fields import Settings
from services.http_server.connection_limits import ConnectionLimits, ConnectionTracker, is_public
from services.http_server.rebalance import too_many
from services.http_server.refusal import REFUSALS, refusal_answer


@dataclass(eq=False)
class Http:
    stage: Stage = Stage.IDLE
    began_at: float = 0.0
    request_body: object = None
    request_bytes: int | None = None
    request_bytes_left: int | None = None
    keep_alive: bool = True
    owed_bytes: int = 0
    owed_since: float = 0.0


@dataclass(eq=False)
class Connection:
    """A connection as the connection tracker sees it."""

    http: Http = field(default_factory=Http)
    websocket: object = None
    is_expired: bool = False
    is_aborted: bool = False
    is_closed: bool = False
    silent_since: float | None = None
    awaits_client: bool = True

    def expire(self) -> None:
        self.is_expired = True

    def abort(self) -> None:
        self.is_aborted = True

    def close(self) -> None:
        self.is_closed = True


def sweep(http: Http, now: float, **options: Any) -> bool:
    tracker = ConnectionTracker(ConnectionLimits(header_s=10, body_s=15, body_bytes_per_s=1000, **options))
    connection = Connection(http)
    tracker.opened(cast(Any, connection), "192.0.2.1")
    tracker.sweep(now)
    return connection.is_expired


def test_a_header_has_its_seconds_from_the_first_byte() -> None:
    assert not sweep(Http(Stage.REQUEST, began_at=100), 110.0)
    assert sweep(Http(Stage.REQUEST, began_at=100), 110.1)


def test_a_header_whose_beginning_was_not_seen_begins_now() -> None:
    http = Http(Stage.REQUEST)
    assert not sweep(http, 500.0)
    assert http.began_at == 500.0


@pytest.mark.parametrize(("arrived", "allowed_s"), [(0, 25), (10_000, 35), (100_000, 125)])
def test_a_body_earns_time_by_what_has_arrived(arrived: int, allowed_s: int) -> None:
    http = Http(Stage.HANDLER, 100.0, True, request_bytes=1_000_000, request_bytes_left=1_000_000 - arrived)
    assert not sweep(http, 100.0 + allowed_s)
    assert sweep(http, 100.1 + allowed_s)


def test_a_body_is_not_late_while_the_handler_does_not_read_it() -> None:
    tracker = ConnectionTracker(ConnectionLimits(header_s=10, body_s=15))
    http = Http(Stage.HANDLER, 100.0, True, request_bytes=1_000_000, request_bytes_left=1_000_000)
    connection = Connection(http, awaits_client=False)
    tracker.opened(cast(Any, connection), "192.0.2.1")
    for second in range(100, 1000):
        tracker.sweep(float(second))
    assert not connection.is_expired
    connection.awaits_client = True
    for second in range(1000, 1040):
        tracker.sweep(float(second))
    assert connection.is_expired


@pytest.mark.parametrize("stage", [Stage.IDLE, Stage.RESPONSE])
def test_idle_connections_and_answers_have_no_deadline_here(stage: Stage) -> None:
    assert not sweep(Http(stage, began_at=1), 1e6)


def test_a_handler_that_has_its_body_may_take_its_time() -> None:
    assert not sweep(Http(Stage.HANDLER, began_at=1), 1e6)


def test_a_connection_that_says_nothing_at_all_is_closed_after_its_seconds() -> None:
    tracker = ConnectionTracker(ConnectionLimits(silent_s=15))
    connection = Connection(silent_since=100.0)
    tracker.opened(cast(Any, connection), "192.0.2.1")
    tracker.sweep(115.0)
    assert not connection.is_closed
    tracker.sweep(115.1)
    assert connection.is_closed
    assert tracker.expired_count == 1


def test_the_rest_of_a_body_that_was_answered_has_a_deadline() -> None:
    assert not sweep(Http(Stage.IDLE, owed_bytes=5, owed_since=100.0), 110.0)
    assert sweep(Http(Stage.IDLE, owed_bytes=5, owed_since=100.0), 110.1)
    assert not sweep(Http(Stage.IDLE, owed_bytes=0, owed_since=100.0), 1e6)
    assert not sweep(Http(Stage.RESPONSE, owed_bytes=5, owed_since=100.0), 1e6), "a long answer may be long"


def test_what_is_expired_is_cut_at_the_next_sweep() -> None:
    tracker = ConnectionTracker(ConnectionLimits(header_s=10))
    connection = Connection(Http(Stage.REQUEST, began_at=1.0))
    tracker.opened(cast(Any, connection), "192.0.2.1")
    tracker.sweep(20.0)
    assert (connection.is_expired, connection.is_aborted) == (True, False)
    connection.http.stage = Stage.IDLE
    tracker.sweep(20.5)
    assert connection.is_aborted
    assert tracker.expired_count == 1


def test_the_cap_counts_public_addresses_only() -> None:
    tracker = ConnectionTracker(ConnectionLimits(address_limit=2))
    for _ in range(2):
        tracker.opened(cast(Any, Connection()), "8.8.8.8")
        tracker.opened(cast(Any, Connection()), "10.0.0.7")
    assert tracker.refusal("8.8.8.8") == "too_many_connections"
    assert tracker.refusal("8.8.4.4") is None
    assert tracker.refusal("10.0.0.7") is None


@pytest.mark.parametrize(
    ("own", "of_all", "expected"),
    [
        (40, [40, 0, 0, 0], 30),
        (20, [20, 20, 0, 0], 10),
        (12, [12, 10, 9, 9], 0),  # near enough
        (12, [12, 12, 0], 4),  # nobody has too many, but one has none
        (11, [12, 11, 1], 3),
        (1, [12, 11, 1], 0),
        (9, [9, 8, 7], 0),
        (2, [2, 2, 0], 0),
        (0, [0, 40], 0),
        (3, [3, 0, 0, 0], 2),
        (2, [2, 0, 0, 0], 0),  # not worth a new connection
        (40, [40], 0),  # nobody to go to
    ],
)
def test_a_worker_with_far_more_connections_than_its_siblings_lets_some_go(
    own: int, of_all: list[int], expected: int
) -> None:
    assert too_many(own, of_all) == expected


def test_as_many_are_let_go_as_are_too_many() -> None:
    tracker = ConnectionTracker(ConnectionLimits())
    tracker.surplus = 2
    assert [tracker.release_surplus() for _ in range(4)] == [True, True, False, False]


def test_an_address_that_leaves_is_forgotten() -> None:
    tracker = ConnectionTracker(ConnectionLimits(address_limit=1))
    connection = cast(Any, Connection())
    tracker.opened(connection, "8.8.8.8")
    tracker.closed(connection, "8.8.8.8")
    assert tracker.refusal("8.8.8.8") is None
    assert tracker.connection_count() == 0


def test_a_full_worker_says_so() -> None:
    tracker = ConnectionTracker(ConnectionLimits(connection_limit=1))
    tracker.opened(cast(Any, Connection()), "10.0.0.7")
    assert tracker.refusal("10.0.0.8") == "connections_full"


@pytest.mark.parametrize(
    ("address", "public"),
    [("8.8.8.8", True), ("127.0.0.1", False), ("::1", False), ("10.1.2.3", False), ("2606:4700::1", True), ("", False)],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_is_a_whole_answer(code: str) -> None:
    head, _, body = refusal_answer(code).partition(b"\r\n\r\n")
    assert orjson.loads(body)["code"] == code
    assert f"content-length: {len(body)}".encode() in head
    assert b"application/problem+json" in head


def test_what_the_operator_says_of_connections_is_what_the_door_goes_by() -> None:
    given = Settings(
        request_header_s=5,
        request_body_s=7,
        request_body_bytes_per_s=2048,
        connections_per_address=2,
        connections_per_worker=3,
    )
    options = ConnectionLimits.from_settings(given)
    assert (options.header_s, options.body_s, options.body_bytes_per_s) == (5, 7, 2048)
    tracker = ConnectionTracker(options)
    for _ in range(2):
        assert tracker.refusal("8.8.8.8") is None
        tracker.opened(cast(Any, Connection()), "8.8.8.8")
    assert tracker.refusal("8.8.8.8") == "too_many_connections"
    tracker.opened(cast(Any, Connection()), "9.9.9.9")
    assert tracker.refusal("1.1.1.1") == "connections_full"


def test_what_the_settings_say_by_themselves_is_what_the_door_does_by_itself() -> None:
    assert ConnectionLimits.from_settings(Settings()) == ConnectionLimits()


def test_a_client_behind_a_proxy_is_counted_by_what_it_has_under_way() -> None:
    tracker = ConnectionTracker(ConnectionLimits(address_limit=2))
    proxy, client, other = "10.0.0.7", "9.9.9.9", "9.9.9.10"
    for _ in range(5):
        assert tracker.refusal(proxy) is None, "a private address speaks for many"
        tracker.opened(cast(Any, Connection()), proxy)
    for _ in range(2):
        assert tracker.has_room_for(client)
        tracker.count(client, 1)
    assert not tracker.has_room_for(client)
    assert tracker.has_room_for(other)
    assert tracker.refused_count == 1
    assert tracker.refusal(client) == "too_many_connections", "its own connections count with them"
    tracker.count(client, -1)
    assert tracker.has_room_for(client)
