"""What integration and chaos tests stand on: the real command, on free ports, with a database of its own."""

from tests.harness.cluster import Cluster, start_cluster
from tests.harness.ports import free_port

__all__ = ["Cluster", "free_port", "start_cluster"]
