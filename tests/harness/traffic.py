"""A client that sends in order to each recipient, tries again as documented, and can tell what arrived."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from tests.harness.cluster import Cluster
from tests.harness.sanic_command import NO_TLS

RETRY_S = 0.2
GIVE_UP_S = 60.0


@dataclass
class Sent:
    """What was accepted: message ids by recipient, in the order of acceptance, and how often a request was repeated."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    bodies: dict[str, list[str]] = field(default_factory=dict)
    repeats: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(len(ids) for ids in self.ids.values())


def recipients(count: int, *, first: int = 16505550000) -> list[str]:
    """Numbers of the documented test range."""
    return [str(first + position) for position in range(count)]


def send_in_order(
    cluster: Cluster,
    phones: Sequence[str],
    *,
    each: int,
    threads: int = 8,
    pace_s: float = 0.0,
    prefix: str = "m",
    **fields: object,
) -> Sent:
    """`each` texts to every phone: one after the other to one phone, many phones side by side.

    A request that got no answer, or 503, is repeated with the same Idempotency-Key until it is answered.
    """
    sent = Sent(ids={phone: [] for phone in phones}, bodies={phone: [] for phone in phones})
    lock = threading.Lock()

    def serve(phone: str) -> None:
        with httpx.Client(
            base_url=cluster.url, headers={"authorization": f"Bearer {cluster.key}"}, timeout=10, verify=NO_TLS
        ) as client:
            for position in range(each):
                body = f"{prefix}-{phone}-{position:04d}"
                message = {"to": phone, "type": "text", "text": {"body": body}, **fields}
                began = time.monotonic()
                while True:
                    try:
                        answer = client.post("/v1/messages", json=message, headers={"idempotency-key": body})
                    except httpx.HTTPError as error:
                        reason = type(error).__name__
                    else:
                        if answer.status_code == 202:
                            break
                        assert answer.status_code in (503, 409), answer.text
                        reason = str(answer.status_code)
                    assert time.monotonic() - began < GIVE_UP_S, f"no answer for {body}: {reason}"
                    with lock:
                        sent.repeats[reason] += 1
                    time.sleep(RETRY_S)
                with lock:
                    sent.ids[phone].append(answer.json()["id"])
                    sent.bodies[phone].append(body)
                    sent.latencies_s.append(time.monotonic() - began)
                if pace_s:
                    time.sleep(pace_s)

    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(serve, phone) for phone in phones]:
            future.result()
    return sent


def received_texts(cluster: Cluster, phone: str) -> list[str]:
    """The texts that this phone got from the business, oldest first."""
    return [entry["text"]["body"] for entry in cluster.phone(phone) if entry["direction"] == "in" and "text" in entry]
