"""The composition root: the application, and every listener in the order of a process's life.

Process: main, worker.
"""

import os
import sys
from pathlib import Path
from typing import Any

import orjson
from sanic import Sanic

import blueprints
from blueprints.errors import setup_errors
from config.capacity import PlanRefused, capacity_inputs, measure_cpus, measure_memory_mb, plan
from config.locales import locale_of, text
from config.logs import SANIC_LOGGING, say, setup_logging
from config.settings import Settings, SettingsRefused, load_settings
from services.cluster.database import run_database
from services.cluster.guard import leave_with_parent
from services.keys import bootstrap_key
from services.sandbox.process import run_sandbox
from services.whatsapp import run_whatsapp
from services.wiring import build_worker

PLAN_VARIABLE = "SANIC_PANAL_PLAN"


def create_app(settings: Settings) -> Sanic[Any, Any]:
    """The application of every process that imports this module: main and the workers."""
    app = Sanic("Panal", log_config=SANIC_LOGGING, dumps=orjson.dumps, loads=orjson.loads, strict_slashes=False)
    app.config.REQUEST_MAX_SIZE = settings.max_body_bytes
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = settings.drain_s
    app.config.MOTD = False
    app.config.ACCESS_LOG = False
    app.ctx.settings = settings
    for blueprint in blueprints.ALL:
        app.blueprint(blueprint)
    setup_errors(app)
    setup_listeners(app)
    return app


def setup_listeners(app: Sanic[Any, Any]) -> None:
    """From the start of main to its end."""
    settings: Settings = app.ctx.settings

    @app.main_process_start
    async def plan_and_declare(app: Sanic[Any, Any]) -> None:
        setup_logging(settings, "Sanic-Main")
        asked = None if app.state.fast else app.state.workers
        inputs = capacity_inputs(
            settings,
            measure_cpus(),
            memory_mb=measure_memory_mb(),
            workers_asked=asked,
            environ=os.environ,
        )
        try:
            found = plan(inputs)
        except PlanRefused as refusal:
            refuse(settings.locale, refusal.text(settings.locale))
        app.state.workers = found.workers
        app.ctx.plan = found
        os.environ[PLAN_VARIABLE] = orjson.dumps(found.as_dict()).decode()
        app.ctx.key = bootstrap_key(settings.bootstrap_key.get_secret_value(), Path(settings.data_dir))

    @app.main_process_ready
    async def start_services(app: Sanic[Any, Any]) -> None:
        manage = app.manager.manage
        port = int(app.state.port)
        if settings.is_embedded_db:
            manage(
                "Database",
                run_database,
                {
                    "port": settings.embedded_db_port,
                    "data_dir": settings.data_dir,
                    "cache": settings.embedded_db_cache,
                },
                restartable=True,
            )
        if settings.whatsapp == "sandbox":
            manage(
                "Sandbox",
                run_sandbox,
                {
                    "port": settings.sandbox_port,
                    "token": settings.sandbox_token.get_secret_value(),
                    "app_secret": settings.app_secret.get_secret_value(),
                    "verify_token": settings.verify_token.get_secret_value(),
                    "number": settings.number,
                    "display_phone_number": settings.display_phone_number,
                    "waba": settings.waba,
                    "webhook_url": f"http://127.0.0.1:{port}/webhooks/whatsapp",
                    "data_dir": settings.data_dir,
                },
                restartable=True,
            )
        manage(
            "WhatsApp",
            run_whatsapp,
            {"settings": settings, "bootstrap_digest": app.ctx.key.digest},
            restartable=True,
        )
        say(text(settings.locale, "startup.cluster", workers=app.ctx.plan.workers, cpus=app.ctx.plan.cpus))
        say(text(settings.locale, "startup.main", pid=os.getpid()))
        if app.ctx.key.text is not None:
            say(text(settings.locale, "startup.key", key=app.ctx.key.text))

    @app.before_server_start
    async def open_database(app: Sanic[Any, Any]) -> None:
        leave_with_parent()
        setup_logging(settings, os.environ.get("SANIC_WORKER_NAME", "Sanic-Server"))
        key = bootstrap_key(settings.bootstrap_key.get_secret_value(), Path(settings.data_dir))
        app.ctx.services = build_worker(settings, bootstrap_digest=key.digest)
        app.ctx.plan = orjson.loads(os.environ.get(PLAN_VARIABLE, "null"))

    @app.after_server_stop
    async def close_database(app: Sanic[Any, Any]) -> None:
        await app.ctx.services.close()


def refuse(locale: str, *lines: str) -> None:
    """Say why it does not start, and leave with exit code 78 (EX_CONFIG)."""
    for line in (text(locale, "startup.refused"), *(f"   {line}" for line in lines)):
        sys.stderr.write(line + "\n")
    sys.stderr.flush()
    os._exit(78)


try:
    app = create_app(load_settings())
except SettingsRefused as refused:
    refuse(locale_of(os.environ), *refused.faults)
