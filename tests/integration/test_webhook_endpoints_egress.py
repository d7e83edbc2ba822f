"""With private addresses closed, no spelling of one is reached: listeners inside count their visitors."""

from collections.abc import Iterator

import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.receiver import Receiver, start_receiver

pytestmark = pytest.mark.integration

SPELLINGS = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://localhost.:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://10.0.0.1/",
    "gopher://127.0.0.1:{port}/",
    "file:///etc/passwd",
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(
        tmp_path_factory.mktemp("egress"), workers=1, environment={"PANAL_ALLOW_PRIVATE_URLS": "false"}
    ) as cluster:
        yield cluster


@pytest.fixture
def inside() -> Iterator[Receiver]:
    with start_receiver() as receiver:
        yield receiver


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_private_address_makes_an_endpoint(cluster: Cluster, inside: Receiver, spelling: str) -> None:
    url = spelling.format(port=inside.port)
    answer = cluster.client.post("/v1/webhook-endpoints", json={"url": url})
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "url_refused"
    assert inside.connections == 0


def test_no_change_of_an_endpoint_leads_inside_either(cluster: Cluster, inside: Receiver) -> None:
    made = cluster.client.post("/v1/webhook-endpoints", json={"url": "https://does-not-exist.invalid/hook"})
    assert made.status_code == 201, made.text
    path = f"/v1/webhook-endpoints/{made.json()['id']}"
    answer = cluster.client.patch(path, json={"url": inside.url()})
    assert (answer.status_code, answer.json()["code"]) == (422, "url_refused")
    tested = cluster.client.post(f"{path}/test").json()
    assert (tested["outcome"], tested["status"]) == ("dead", None)
    assert tested["error"] == "its name cannot be resolved"
    assert inside.connections == 0
