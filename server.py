"""The application, and every listener in the order of a process's life.

Process: main, worker.
"""

import services.supervisor.forkserver.early_start  # first: the fork server imports all this while main does

# isort: split
import os
import secrets
import sys
from pathlib import Path
from typing import Any, NoReturn

import orjson
from sanic import Request, Sanic
from sanic.response import BaseHTTPResponse

import blueprints
from blueprints.access import setup_access
from blueprints.console.cluster_samples import sample_now
from blueprints.errors import setup_errors
from blueprints.extension import setup_extension
from blueprints.fast_routes import fast_routes
from config.capacity import Plan, PlanRefused, capacity_inputs, measure_cpus, measure_memory_mb, plan
from config.locales import locale_of, text
from config.logs import SANIC_LOGGING, say, setup_logging, stop_logging
from config.settings.fields import Settings
from config.settings.load import SettingsRefused, load_settings, unknown_variables
from services.http_server.connection_limits import ConnectionLimits
from services.http_server.forwarded import TrustedProxies
from services.http_server.protocol import use_panal_protocol
from services.http_server.websocket import MAX_MESSAGE_BYTES
from services.http_server.worker import WorkerLifecycle
from services.keys import BootstrapKey, bootstrap_key, shared_changes
from services.supervisor import sanic_internals
from services.supervisor.forkserver import processes
from services.supervisor.launch import run_named
from services.supervisor.options import SupervisorOptions
from services.supervisor.startup_lines import StartupLines
from services.supervisor.supervisor import supervise
from services.telemetry.meter import ProcessMeter
from services.telemetry.metrics import files
from services.telemetry.scoreboard import Scoreboard
from services.vault import KeyFileDamaged, open_box
from services.wiring import build_worker

PLAN_VARIABLE = "SANIC_PANAL_PLAN"  # carries main's capacity plan to the workers
REQUEST_TIMEOUT_S = 15  # for a connection without a request; slow requests have deadlines of their own
REFUSED_EXIT_CODE = 78  # EX_CONFIG of sysexits.h


def create_app(settings: Settings) -> Sanic[Any, Any]:
    """The application of every process that imports this module: main and the workers."""
    app = Sanic("Panal", log_config=SANIC_LOGGING, dumps=orjson.dumps, loads=orjson.loads)
    app.config.REQUEST_MAX_SIZE = settings.max_body_bytes
    app.config.REQUEST_TIMEOUT = REQUEST_TIMEOUT_S
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = settings.drain_s
    app.config.WEBSOCKET_MAX_SIZE = MAX_MESSAGE_BYTES
    app.config.MOTD = False
    app.config.ACCESS_LOG = False
    app.ctx.settings = settings
    app.ctx.proxies = TrustedProxies(settings.trusted_proxies)
    for blueprint in blueprints.ALL:
        app.blueprint(blueprint)
    setup_errors(app)
    setup_extension(app)
    setup_access(app)
    setup_main(app, settings)
    setup_worker(app, settings)
    return app


def setup_main(app: Sanic[Any, Any], settings: Settings) -> None:
    """Register main's listeners: plan, declare services, supervise. No database client, no HTTP."""
    run_dir = str(Path(settings.data_dir) / "run")

    @app.main_process_start
    async def plan_and_prepare(app: Sanic[Any, Any]) -> None:
        setup_logging(settings, "Sanic-Main")
        app.ctx.plan = found = planned(settings, workers_asked=None if app.state.fast else app.state.workers)
        app.state.workers = found.workers
        os.environ[PLAN_VARIABLE] = orjson.dumps(found.as_dict()).decode()
        app.ctx.key = first_key(settings)
        make_secret_key(settings)
        app.ctx.scoreboard = Scoreboard.create()
        app.shared_ctx.scoreboard = app.ctx.scoreboard.memory
        app.shared_ctx.access_changes = shared_changes()
        use_panal_protocol(app)
        files.prepare(settings.data_dir)

    @app.main_process_ready
    async def declare_and_supervise(app: Sanic[Any, Any]) -> None:
        scoreboard: Scoreboard = app.ctx.scoreboard
        api_url = f"http://{app.state.host}:{app.state.port}"
        declare_services(app, settings, scoreboard=scoreboard, run_dir=run_dir)
        lines = StartupLines(
            settings.locale,
            workers=app.ctx.plan.workers,
            api_url=api_url,
            sandbox_url=f"http://127.0.0.1:{settings.sandbox_port}",
            database_url=f"mongodb://127.0.0.1:{settings.embedded_db_port}",
        )
        lines.open(cpus=app.ctx.plan.cpus, pid=os.getpid())
        print_key(settings, app.ctx.key)
        supervise(
            app,
            scoreboard=scoreboard,
            options=SupervisorOptions.from_settings(settings, max_workers=app.ctx.plan.workers_that_fit),
            watchers=[lines],
            on_gone=files.fold,
        )

    @app.main_process_stop
    async def end_log(_: Sanic[Any, Any]) -> None:
        stop_logging()


def setup_worker(app: Sanic[Any, Any], settings: Settings) -> None:
    """Register a worker's listeners; what was opened is closed in reverse order."""

    @app.before_server_start
    async def open_worker(app: Sanic[Any, Any]) -> None:
        setup_logging(settings, os.environ.get("SANIC_WORKER_NAME", "Sanic-Server"))
        app.ctx.plan = orjson.loads(os.environ.get(PLAN_VARIABLE, "null"))
        meter = ProcessMeter("worker")
        # First of all: it makes sure that this process ends with main.
        life = WorkerLifecycle(
            app,
            Scoreboard.of(app.shared_ctx),
            run_dir=str(Path(settings.data_dir) / "run"),
            drain_s=settings.drain_s,
            heartbeat_s=settings.heartbeat_s,
            limits=ConnectionLimits.from_settings(settings),
            meter=meter,
            access_log=settings.access_log,
            pool=lambda: app.ctx.services.database.pool_use(),
        )
        app.ctx.services = build_worker(
            settings,
            bootstrap_digest=first_key(settings).digest,
            meter=meter,
            workers=app.ctx.plan["workers"] if app.ctx.plan else 1,
            shared=getattr(app.shared_ctx, "access_changes", None),
        )
        app.ctx.find_fast_route = fast_routes(app, app.ctx.services)
        await life.open()

    def observe(request: Request, response: BaseHTTPResponse) -> None:
        app.ctx.life.observe(request, response)

    app.register_middleware(observe, "response")

    @app.after_server_start
    async def serve(app: Sanic[Any, Any]) -> None:
        await app.ctx.services.wait_for_database(settings.db_wait_s)
        await app.ctx.life.serve()
        app.ctx.life.run_beside(app.ctx.services.access.changes.run(), name="access-changes")
        app.ctx.life.run_beside(app.ctx.services.samples.run(lambda: sample_now(app)), name="samples")

    @app.before_server_stop
    async def drain(app: Sanic[Any, Any]) -> None:
        await app.ctx.life.drain()
        app.ctx.services.streams.drain()
        app.ctx.services.events.drain()

    @app.after_server_stop
    async def close_worker(app: Sanic[Any, Any]) -> None:
        await app.ctx.services.close()
        await app.ctx.life.close()
        stop_logging()


def declare_services(app: Sanic[Any, Any], settings: Settings, *, scoreboard: Scoreboard, run_dir: str) -> None:
    """Declare the managed processes: durable, so that a restart of the workers never starts a second owner."""

    def manage(name: str, target: str, arguments: dict[str, Any]) -> None:
        kwargs = {"settings": settings, "target": target, "arguments": arguments}
        app.manager.manage(name, run_named, kwargs, transient=False, restartable=True)

    if settings.is_embedded_db:
        database = {
            "port": settings.embedded_db_port,
            "data_dir": settings.data_dir,
            "cache": settings.embedded_db_cache,
            "scoreboard": scoreboard,
            "database": settings.db_name,
        }
        manage("Database", "services.supervisor.embedded_database:run_database", database)
    if settings.whatsapp == "sandbox":
        webhook_url = f"http://127.0.0.1:{app.state.port}/webhooks/whatsapp"
        sandbox = {"settings": settings, "webhook_url": webhook_url, "scoreboard": scoreboard}
        manage("Sandbox", "services.supervisor.sandbox_process:run_sandbox_process", sandbox)
    owner = {
        "settings": settings,
        "bootstrap_digest": app.ctx.key.digest,
        "scoreboard": scoreboard,
        "run_dir": run_dir,
        "run_id": secrets.token_hex(8),
    }
    manage("WhatsApp", "services.whatsapp.process:run_whatsapp", owner)


def planned(settings: Settings, *, workers_asked: int | None) -> Plan:
    """Return the capacity plan. A plan that does not fit ends the process and names the figure to change."""
    inputs = capacity_inputs(
        settings,
        measure_cpus(),
        memory_mb=measure_memory_mb(),
        workers_asked=workers_asked,
        environ=os.environ,
    )
    try:
        return plan(inputs)
    except PlanRefused as refusal:
        refuse(settings.locale, refusal.text(settings.locale))


def first_key(settings: Settings) -> BootstrapKey:
    """Return the first API key: from the settings, from the data folder, or generated now."""
    return bootstrap_key(settings.bootstrap_key.get_secret_value(), Path(settings.data_dir))


def make_secret_key(settings: Settings) -> None:
    """Generate the key that encrypts stored secrets if there is none, before any process needs it."""
    try:
        open_box(settings)
    except KeyFileDamaged as damaged:
        refuse(settings.locale, text(settings.locale, "startup.key_file_damaged", path=damaged.path))


def print_key(settings: Settings, key: BootstrapKey) -> None:
    """Print a key that was just generated, once; and warn of PANAL_ variables that nothing reads."""
    if key.text is not None:
        say(text(settings.locale, "startup.key", key=key.text))
        say(text(settings.locale, "startup.key_once", path=key.path))
    for name in unknown_variables(os.environ):
        say(text(settings.locale, "startup.warning_unknown", variable=name))


def refuse(locale: str, *lines: str) -> NoReturn:
    """Print why it does not start, and exit with ``REFUSED_EXIT_CODE``. The fork server stays silent: main prints."""
    if services.supervisor.forkserver.early_start.speaks_for_the_installation():
        sys.stderr.write("\n".join([text(locale, "startup.refused"), *(f"   {line}" for line in lines)]) + "\n")
        sys.stderr.flush()
    # Sanic turns SystemExit of a listener into a traceback. Nothing was started yet that must be stopped.
    os._exit(REFUSED_EXIT_CODE)


sanic_internals.install()
processes.use_fork_server()
try:
    app = create_app(load_settings())
except SettingsRefused as refused:
    refuse(locale_of(os.environ), *refused.faults)
