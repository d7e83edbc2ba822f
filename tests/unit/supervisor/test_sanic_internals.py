"""Every private name of Sanic that we lean on is still there, and means what we think."""

import inspect
from types import SimpleNamespace
from typing import Any

import pytest
import sanic
import sanic.mixins.startup
from sanic.http import Http
from sanic.server.protocols.http_protocol import HttpProtocol
from sanic.worker.manager import WorkerManager
from sanic.worker.process import WorkerProcess

from services.http_server.http1 import PanalHttp
from services.http_server.protocol import PanalProtocol
from services.supervisor import sanic_internals


def test_it_is_the_sanic_this_was_written_for() -> None:
    assert sanic.__version__ == sanic_internals.WRITTEN_FOR


def test_run_still_calls_what_we_replace() -> None:
    source = inspect.getsource(WorkerManager.run)
    assert [name for name in ("start", "monitor", "join", "terminate", "cleanup") if f"self.{name}()" in source] == [
        "start",
        "monitor",
        "join",
        "terminate",
        "cleanup",
    ]


def test_the_state_server_is_asked_for_by_the_name_we_replace() -> None:
    source = inspect.getsource(sanic.mixins.startup.StartupMixin.serve)
    assert "sync_manager = Manager()" in source
    assert "sync_manager.dict()" in source
    assert "sync_manager.shutdown()" in source


def test_a_worker_process_still_has_the_parts_we_use() -> None:
    source = inspect.getsource(WorkerProcess)
    for part in ("self._current_process = self.factory(", "daemon=True", 'os.environ["SANIC_WORKER_NAME"]'):
        assert part in source


def test_the_manager_still_has_the_parts_we_use() -> None:
    source = inspect.getsource(WorkerManager)
    for part in (
        "self.monitor_subscriber",
        "self._server_settings",
        "self.num_server",
        "self.transient",
        "self.durable",
    ):
        assert part in source


def test_the_protocol_still_calls_what_we_extend() -> None:
    assert "self.init_for_request()" in inspect.getsource(Http.http1)
    assert "self.HTTP_CLASS(self" in inspect.getsource(HttpProtocol._setup_connection)
    assert PanalProtocol.HTTP_CLASS is PanalHttp
    for name in ("connection_made", "connection_lost", "data_received", "close_if_idle"):
        assert callable(getattr(HttpProtocol, name))


def test_the_local_state_answers_like_the_server_did() -> None:
    state = sanic_internals.LocalState()
    state["a"] = {**state["a"], "state": "ACKED"}
    del state["b"]
    assert state == {"a": {"state": "ACKED"}}
    assert "b" not in state


def test_a_start_that_is_cut_off_by_a_death_is_tried_again_like_any_other() -> None:
    """The fork server may be killed at any moment: that must not end main."""

    class Cut:
        def __init__(self, **_: Any) -> None:
            pass

        def start(self) -> None:
            raise EOFError("unexpected EOF")

    sanic_process: Any = SimpleNamespace(
        name="Sanic-WhatsApp", ident="Sanic-WhatsApp-0", target=None, kwargs={}, factory=Cut
    )
    with pytest.raises(OSError, match="forks"):
        sanic_internals.spawn(sanic_process, 1)
