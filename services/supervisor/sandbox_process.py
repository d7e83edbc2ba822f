"""Runs the WhatsApp emulator as a managed process: it ends with main, and its heartbeat lets main see a stall.

Process: sandbox.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from config.settings import Settings
from services.sandbox.process import run_sandbox
from services.supervisor.child_process import leave_with_parent
from services.telemetry.heartbeat import Heartbeat
from services.telemetry.scoreboard import Scoreboard


def run_sandbox_process(*, settings: Settings, webhook_url: str, scoreboard: Scoreboard) -> None:
    """Target of the managed process ``Sandbox``. It posts the events of its phones to `webhook_url`."""
    leave_with_parent()

    @asynccontextmanager
    async def heartbeat() -> AsyncIterator[None]:
        beats = Heartbeat(
            scoreboard.writer(os.environ.get("SANIC_WORKER_NAME", "Sanic-Sandbox-0"), "sandbox"),
            run_dir=str(Path(settings.data_dir) / "run"),
            every_s=settings.heartbeat_s,
        )
        beats.start("ready")
        try:
            yield
        finally:
            beats.say("stopping")
            await beats.stop()

    run_sandbox(
        port=settings.sandbox_port,
        token=settings.sandbox_token.get_secret_value(),
        app_secret=settings.app_secret.get_secret_value(),
        verify_token=settings.verify_token.get_secret_value(),
        number=settings.number,
        display_phone_number=settings.display_phone_number,
        waba=settings.waba,
        webhook_url=webhook_url,
        data_dir=settings.data_dir,
        beside=heartbeat,
    )
