"""The tables of a run: what stands beside what."""

from benchmarks.drive import Seen
from benchmarks.report import OURS, SENDING, growth_table, others_table, peers_table
from benchmarks.scenarios import Result


def seen(rate: float, cpu_us: float = 100.0) -> Seen:
    return Seen(0.0, rate, 1.0, 2.0, 3.0, 4.0, 10, {}, 0.1, cpu_us)


def result(server: str, *rounds: Seen, scenario: str = "accept") -> Result:
    return Result(server, scenario, saturation=rounds[0], rounds=list(rounds))


def cells(table: str, name: str) -> list[str]:
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_a_server_stands_beside_the_best_peer_of_each_round() -> None:
    results = [
        result("one", seen(100, 300), seen(400, 100), seen(100, 200)),
        result("two", seen(200, 400), seen(100, 400), seen(300, 400)),
        result(OURS, seen(600, 50), seen(1_200, 50), seen(600, 50)),
        result(SENDING, seen(300, 100), seen(300, 100), seen(300, 100)),
    ]
    table = peers_table(results, {OURS: 78.4}, {OURS: 2.04})
    # 600 of 200, 1,200 of 400, 600 of 300: the median is 3. The other line of ours is no peer.
    assert cells(table, OURS) == ["600", "3.00 ×", "50", "0.25 ×", "78 MB", "2.0 s"]
    assert cells(table, SENDING)[:4] == ["300", "1.00 ×", "100", "0.50 ×"]
    assert cells(table, "one") == ["100", "0.50 ×", "200", "1.00 ×", "0 MB", ""]


def test_a_scenario_that_a_server_has_not_is_a_gap() -> None:
    results = [result("one", seen(100)), result(OURS, seen(300)), result(OURS, seen(500), scenario="read")]
    table = peers_table(results, {}, {})
    assert cells(table, "one")[4:8] == ["–"] * 4
    assert cells(table, OURS)[4:8] == ["500", "–", "100", "–"]


def test_what_others_do_not_have_stands_beside_accept() -> None:
    found = {
        "accept, saturated": seen(200).as_dict(),
        "webhook, saturated": seen(300).as_dict(),
        "campaign": {"people": 10, "per_s": 50.0},
        "worker_rss_mb_by_requests": [(0, 77.0)],
        "cost_by_stored_messages": {"1000": {"a": 1.0}},
    }
    table = others_table(found)
    assert cells(table, "webhook, saturated") == ["300", "1.50 ×", "1.0", "3.0", "0"]
    assert cells(table, "campaign") == ["50", "0.25 ×", "–", "–", "–"]
    assert len(table.splitlines()) == 5
    assert others_table({}) == ""


def test_a_call_grows_from_the_first_count_to_the_last() -> None:
    table = growth_table({"1000": {"GET /a": 2.0}, "20000": {"GET /a": 1.0}, "200000": {"GET /a": 2.5}})
    assert cells(table, "`GET /a`") == ["2.00", "1.00", "2.50", "1.25 ×"]
