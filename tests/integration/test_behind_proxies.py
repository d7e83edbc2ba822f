"""Behind two proxies in a chain: cookies are `Secure`, the log and the limits know the client, and nobody can lie."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.proxies import Proxy, serving
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

EDGE, INNER, CLIENT = "127.0.0.2", "127.0.0.3", "127.0.0.9"
LIMIT = 5


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    settings = {
        "PANAL_TRUSTED_PROXIES": f"{EDGE}, {INNER}",
        "PANAL_ACCESS_LOG": "true",
        "PANAL_CONNECTIONS_PER_ADDRESS": str(LIMIT),
    }
    with start_cluster(tmp_path_factory.mktemp("proxies"), workers=1, environment=settings) as cluster:
        yield cluster


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody at an address that is nobody's proxy."""
    connector = aiohttp.TCPConnector(local_addr=(CLIENT, 0), limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


async def sign_in(session: aiohttp.ClientSession, port: int, cluster: Cluster, **headers: str) -> str:
    """The cookie as it was set."""
    async with session.post(
        f"http://127.0.0.1:{port}/console/session",
        json={"key": cluster.key},
        headers={"x-panal-console": "1", **headers},
    ) as answer:
        assert answer.status == 200, await answer.text()
        return answer.headers["set-cookie"]


async def clients_in_log(cluster: Cluster, path: str) -> list[str]:
    """Whom the access log names for a path, once its thread has written."""
    await asyncio.sleep(1.0)
    lines = re.findall(rf"http\.request .* path={re.escape(path)} .* client=(\S*)", cluster.log)
    return [str(client) for client in lines]


@pytest.mark.parametrize("style", ["x-forwarded", "forwarded"])
@pytest.mark.parametrize("outside", ["https", "http"])
async def test_the_client_of_two_proxies(
    cluster: Cluster, client: aiohttp.ClientSession, style: str, outside: str
) -> None:
    async with AsyncExitStack() as stack:
        inner = await stack.enter_async_context(serving(Proxy(cluster.port, INNER, "http", style)))
        edge = await stack.enter_async_context(serving(Proxy(inner.port, EDGE, outside, style)))
        assert ("Secure" in await sign_in(client, edge.port, cluster)) == (outside == "https")
        path = f"/v1/conversations/cnv_{style}_{outside}"
        async with client.get(
            f"http://127.0.0.1:{edge.port}{path}", headers={"authorization": f"Bearer {cluster.key}"}
        ) as answer:
            assert answer.status == 404
    assert await clients_in_log(cluster, path) == [CLIENT]


async def test_what_a_stranger_says_of_itself_is_nothing(cluster: Cluster, client: aiohttp.ClientSession) -> None:
    lies = {"x-forwarded-for": "9.9.9.9", "x-forwarded-proto": "https", "forwarded": "for=9.9.9.9;proto=https"}
    assert "Secure" not in await sign_in(client, cluster.port, cluster, **lies)
    path = "/v1/conversations/cnv_lies"
    headers = {"authorization": f"Bearer {cluster.key}", **lies}
    async with client.get(f"http://127.0.0.1:{cluster.port}{path}", headers=headers) as answer:
        assert answer.status == 404
    async with AsyncExitStack() as stack:
        inner = await stack.enter_async_context(serving(Proxy(cluster.port, INNER, "http")))
        async with client.get(f"http://127.0.0.1:{inner.port}{path}", headers=headers) as answer:
            assert answer.status == 404
    assert await clients_in_log(cluster, path) == [CLIENT, CLIENT]


async def test_requests_of_many_clients_on_one_kept_connection_are_told_apart(cluster: Cluster) -> None:
    names = [f"9.9.9.{number}" for number in range(1, 9)]
    key = {"authorization": f"Bearer {cluster.key}"}
    phone = "12025550171"
    cluster.write_as_customer(phone, "hola")
    until(lambda: cluster.all_pages("/v1/conversations"), "the window is open")
    body = {"to": phone, "type": "text", "text": {"body": "hola"}}
    connector = aiohttp.TCPConnector(local_addr=(EDGE, 0), limit=1)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{cluster.port}", connector=connector) as proxy:
        for name in names:
            async with proxy.post("/v1/messages", json=body, headers={**key, "x-forwarded-for": name}) as answer:
                assert answer.status == 202, await answer.text()
        for name in names:
            async with proxy.get("/v1/messages/msg_none", headers={**key, "x-forwarded-for": name}) as answer:
                assert answer.status == 404
    assert await clients_in_log(cluster, "/v1/messages") == names
    assert await clients_in_log(cluster, "/v1/messages/msg_none") == names


async def test_a_client_behind_a_proxy_has_as_many_streams_as_an_address_may(cluster: Cluster) -> None:
    connector = aiohttp.TCPConnector(local_addr=(EDGE, 0), limit=0)
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(
            aiohttp.ClientSession(f"http://127.0.0.1:{cluster.port}", connector=connector)
        )

        async def stream(client: str) -> aiohttp.ClientResponse:
            headers = {"authorization": f"Bearer {cluster.key}", "x-forwarded-for": client}
            return await proxy.get("/v1/events/stream", headers=headers)

        streams = [await stream("9.9.9.9") for _ in range(LIMIT)]
        assert {answer.status for answer in streams} == {200}
        refused = await stream("9.9.9.9")
        said: dict[str, Any] = await refused.json(content_type=None)
        assert (refused.status, said["code"], refused.headers["retry-after"]) == (429, "too_many_connections", "1")
        other = await stream("9.9.9.10")
        assert other.status == 200, "its neighbour is not meant"
        streams[0].close()
        for _ in range(100):
            again = await stream("9.9.9.9")
            if again.status == 200:
                break
            again.close()
            await asyncio.sleep(0.05)
        assert again.status == 200, "one has ended, another may begin"
        for answer in (*streams, refused, other, again):
            answer.close()
