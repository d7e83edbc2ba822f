"""A small Sanic application with the whole cluster around it, started by `sanic tests.integration.cluster.app:app`."""

import asyncio
import contextlib
import logging
import os
import time
from pathlib import Path
from typing import Any

from sanic import HTTPResponse, Request, Sanic, json

from services.http_server.connection_limits import ConnectionLimits
from services.http_server.drain import why_not_ready
from services.http_server.protocol import use_panal_protocol
from services.http_server.worker import WorkerLifecycle
from services.supervisor import sanic_internals
from services.supervisor.backoff import RestartPolicy
from services.supervisor.child_process import install_stop_signals, leave_with_parent
from services.supervisor.embedded_database import run_database
from services.supervisor.forkserver import processes
from services.supervisor.options import SupervisorOptions
from services.supervisor.supervisor import supervise
from services.telemetry.heartbeat import Heartbeat
from services.telemetry.metrics import definitions, files
from services.telemetry.scoreboard import Scoreboard

RUN_DIR = os.environ["TEST_RUN_DIR"]
sanic_internals.install()
processes.use_fork_server("tests.integration.cluster.app")
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(levelname)s %(message)s")
app: Sanic[Any, Any] = Sanic("panal_cluster_test", configure_logging=False)


def refuse_if_the_test_says_so() -> None:
    if Path(RUN_DIR, "refuse-" + os.environ["SANIC_WORKER_NAME"]).exists():
        raise RuntimeError("refused by the test")


def number(name: str, default: float) -> float:
    return float(os.environ.get(name, default))


def run_owner(*, scoreboard: Scoreboard, run_dir: str) -> None:
    leave_with_parent(15)
    asyncio.run(_owner(scoreboard, run_dir))
    Path(run_dir, "owner-left").write_text(str(time.time()))


async def _owner(scoreboard: Scoreboard, run_dir: str) -> None:
    stop = asyncio.Event()
    install_stop_signals(asyncio.get_running_loop(), stop)
    heartbeat = Heartbeat(
        scoreboard.writer("Sanic-WhatsApp-0", "whatsapp"),
        run_dir=run_dir,
        every_s=0.2,
        extra=lambda: {"state": "owner"},
    )
    heartbeat.start("ready")
    await stop.wait()
    heartbeat.say("stopping")
    await asyncio.sleep(float(os.environ.get("TEST_OWNER_STOP_S", "0")))
    await heartbeat.stop()


@app.main_process_start
async def main_start(app: Sanic[Any, Any]) -> None:
    app.ctx.scoreboard = Scoreboard.create()
    app.shared_ctx.scoreboard = app.ctx.scoreboard.memory
    use_panal_protocol(app)
    files.prepare(RUN_DIR)


@app.main_process_ready
async def main_ready(app: Sanic[Any, Any]) -> None:
    scoreboard = app.ctx.scoreboard
    app.manager.manage(
        "WhatsApp", run_owner, {"scoreboard": scoreboard, "run_dir": RUN_DIR}, transient=False, restartable=True
    )
    if "TEST_DB_PORT" in os.environ:
        app.manager.manage(
            "Database",
            run_database,
            {"port": int(os.environ["TEST_DB_PORT"]), "data_dir": RUN_DIR, "cache": "64M", "scoreboard": scoreboard},
            transient=False,
            restartable=True,
        )
    supervise(
        app,
        scoreboard=scoreboard,
        on_gone=files.fold,
        options=SupervisorOptions(
            run_dir=RUN_DIR,
            stall_s=number("TEST_STALL_S", 8),
            worker_memory_bytes=int(number("TEST_MEMORY_MB", 0)) * 2**20,
            memory_min_age_s=0,
            max_requests=int(number("TEST_MAX_REQUESTS", 0)),
            max_workers=int(number("TEST_MAX_WORKERS", 6)),
            unready_s=number("TEST_UNREADY_S", 0.3),
            drain_s=number("TEST_DRAIN_S", 8),
            start_timeout_s=20,
            restart=RestartPolicy(cool_s=number("TEST_COOL_S", 60), stable_s=0.5),
        ),
    )


@app.before_server_start
async def opening(app: Sanic[Any, Any]) -> None:
    refuse_if_the_test_says_so()
    life = WorkerLifecycle(
        app,
        Scoreboard.of(app.shared_ctx),
        run_dir=RUN_DIR,
        drain_s=number("TEST_DRAIN_S", 8),
        heartbeat_s=0.2,
        limits=ConnectionLimits(
            header_s=number("TEST_HEADER_S", 10),
            body_s=number("TEST_BODY_S", 3),
            address_limit=int(number("TEST_ADDRESS_LIMIT", 0)),
            limits_private=True,
        ),
    )
    await life.open()


@app.after_server_start
async def opened(app: Sanic[Any, Any]) -> None:
    await app.ctx.life.serve()


@app.before_server_stop
async def closing(app: Sanic[Any, Any]) -> None:
    await app.ctx.life.drain()


@app.after_server_stop
async def closed(app: Sanic[Any, Any]) -> None:
    await app.ctx.life.close()


@app.on_response
def answered(request: Request, response: HTTPResponse) -> None:
    app.ctx.life.observe(request, response)


@app.get("/")
async def hello(_request: Request) -> HTTPResponse:
    return json({"pid": os.getpid()})


@app.post("/echo")
async def echo(request: Request) -> HTTPResponse:
    return json({"size": len(request.body)})


@app.get("/sleep/<seconds:float>")
async def sleep(_request: Request, seconds: float) -> HTTPResponse:
    await asyncio.sleep(seconds)
    return json({"pid": os.getpid()})


@app.get("/block/<seconds:float>")
async def block(_request: Request, seconds: float) -> HTTPResponse:
    time.sleep(seconds)  # noqa: ASYNC251 - a stalled loop is what the test wants
    return json({"pid": os.getpid()})


@app.get("/stream")
async def stream(request: Request) -> None:
    response = await request.respond(content_type="text/event-stream")
    assert isinstance(response, HTTPResponse)
    await response.send("data: hello\n\n")
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(app.ctx.life.draining.wait(), 60)
    await response.send("data: goodbye\n\n")
    await response.eof()


LEAK: list[bytes] = []


@app.get("/leak/<megabytes:int>")
async def leak(_request: Request, megabytes: int) -> HTTPResponse:
    LEAK.append(os.urandom(megabytes * 2**20))
    return json({"pid": os.getpid()})


@app.get("/restart/<name:str>")
async def restart(_request: Request, name: str) -> HTTPResponse:
    app.m.restart(name)
    return json({})


@app.get("/reload")
async def reload(_request: Request) -> HTTPResponse:
    app.m.restart(all_workers=True, zero_downtime=True)
    return json({})


@app.get("/scale/<count:int>")
async def scale(_request: Request, count: int) -> HTTPResponse:
    app.m.scale(count)
    return json({})


@app.get("/metrics")
async def prometheus(_request: Request) -> HTTPResponse:
    page = await asyncio.to_thread(definitions.render, app.ctx.life.scoreboard)
    return HTTPResponse(page, content_type=definitions.CONTENT_TYPE)


@app.get("/scoreboard")
async def scoreboard(_request: Request) -> HTTPResponse:
    table = app.ctx.life.scoreboard
    facts = table.facts()
    return json(
        {
            "rows": [
                {
                    "name": row.name,
                    "role": row.role,
                    "pid": row.pid,
                    "state": row.state,
                    "restarts": row.restarts,
                    "last_exit": row.last_exit,
                    "breaker": row.breaker,
                    "requests": row.vitals.requests,
                    "connections": row.vitals.connections,
                    "in_flight": row.vitals.in_flight,
                    "rss_bytes": row.vitals.rss_bytes,
                    "age_s": row.heartbeat_age_s,
                    "extra": dict(row.extra),
                }
                for row in table.rows()
            ],
            "events": [
                {"at": event.at, "kind": event.kind, "name": event.name, "reason": event.reason}
                for event in facts.events
            ],
            "stopping": facts.stopping,
            "reasons": facts.restarts_by_reason,
            "not_ready": why_not_ready(table),
        }
    )
