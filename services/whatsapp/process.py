"""The WhatsApp process: connect, prepare the database, wait for the lease, run a term, stop cleanly.

Process: whatsapp.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from pathlib import Path

import uvloop

from config.errors import Unavailable
from config.locales import text
from config.logs import say, setup_logging, stop_logging
from config.settings import Settings
from services.store import Fenced, is_schema_ready
from services.supervisor.child_process import install_stop_signals, leave_with_parent
from services.telemetry.heartbeat import Heartbeat
from services.telemetry.meter import ProcessMeter
from services.telemetry.scoreboard import Scoreboard
from services.whatsapp.lease_takeover import OWNER_FILE, OwnerFile, holder_name, is_dead_sibling
from services.whatsapp.status_report import StatusReport
from services.whatsapp.term import OwnerTerm, TermOptions, last_seqs
from services.wiring import Owner, build_context, build_owner

log = logging.getLogger(__name__)

NAME = "Sanic-WhatsApp-0"
STANDBY_POLL_S = 0.5
KEY_POLL_S = 5.0


def run_whatsapp(
    *, settings: Settings, bootstrap_digest: str, scoreboard: Scoreboard, run_dir: str, run_id: str
) -> None:
    """Target of the managed process ``WhatsApp``. Returns on SIGINT or SIGTERM, after it has released the lease.

    ``run_id`` is unique to this run of main. It tells which earlier owners were children of the same main.
    """
    leave_with_parent(signal.SIGTERM)
    setup_logging(settings, NAME)
    uvloop.run(_main(settings, bootstrap_digest, scoreboard, run_dir, run_id))
    stop_logging()


async def _main(settings: Settings, bootstrap_digest: str, scoreboard: Scoreboard, run_dir: str, run_id: str) -> None:
    stop = asyncio.Event()
    install_stop_signals(asyncio.get_running_loop(), stop)
    holder = holder_name(socket.gethostname(), run_id, os.getpid())
    owner_file = OwnerFile(Path(settings.data_dir) / OWNER_FILE, holder)
    meter = ProcessMeter("whatsapp")
    owner = build_owner(settings, holder=holder, bootstrap_digest=bootstrap_digest, meter=meter)
    report = StatusReport(owner)
    heartbeat = Heartbeat(
        scoreboard.writer(NAME, "whatsapp"),
        run_dir=run_dir,
        every_s=settings.heartbeat_s,
        meter=meter,
        extra=report.facts,
        pool=owner.database.pool_use,
    )
    heartbeat.start("starting")
    try:
        if not await _prepared(owner, stop):
            return
        owner.change_notifier.start()
        heartbeat.say("ready")
        while not stop.is_set():
            report.state = "standby"
            if not await _won(owner, stop, owner_file):
                continue
            try:
                await _serve_term(owner, stop, report, scoreboard)
            except Fenced as fenced:
                log.warning(
                    "Another process owns the numbers; standing by.",
                    extra={"action": "owner.fenced", "detail": str(fenced)},
                )
            except Unavailable as error:
                # A term was beginning. The lease may still be ours: try again, do not exit and let it run out.
                log.warning("Waiting for the database.", extra={"action": "database.waiting", "detail": str(error)})
                await _sleep(stop, STANDBY_POLL_S)
    finally:
        report.state = "stopped"
        with contextlib.suppress(Unavailable):
            await owner.lease.release()  # so that the next owner need not wait, however this process ends
        await owner.close()
        await heartbeat.stop()
        owner_file.close()


async def _prepared(owner: Owner, stop: asyncio.Event) -> bool:
    """Wait for the database, create indexes, seed the first number and key. False when asked to stop meanwhile.

    With a wrong PANAL_SECRET_KEY it never owns a number, so that a host with the right key can. A wrong key that
    development generated only gets a message; deliveries whose secrets it cannot decrypt wait.
    """
    has_told = False
    while not stop.is_set():
        try:
            await owner.prepare()
            fault = await owner.key_check.fault()
        except Unavailable as error:
            log.warning("Waiting for the database.", extra={"action": "database.waiting", "detail": str(error)})
            await _sleep(stop, 0.2)
            continue
        if fault is None:
            return await is_schema_ready(owner.database)
        if not has_told:
            say(text(owner.settings.locale, "startup.key_mismatch"))
            log.error(fault, extra={"action": "secrets.key_mismatch"})
            has_told = True
        if not owner.key_check.is_strict:
            return await is_schema_ready(owner.database)
        await _sleep(stop, KEY_POLL_S)
    return False


async def _won(owner: Owner, stop: asyncio.Event, owner_file: OwnerFile) -> bool:
    """Try once to get the lease; wait a moment if that fails. True when this process owns it now."""
    try:
        view = await owner.lease.acquire()
        if not owner.lease.is_held() and (
            is_dead_sibling(view.holder, ours=owner.lease.holder) or owner_file.says_dead(view.holder)
        ):
            view = await owner.lease.acquire(dead_holder=view.holder)
    except Unavailable as error:
        log.warning("Waiting for the database.", extra={"action": "database.waiting", "detail": str(error)})
        await _sleep(stop, STANDBY_POLL_S)
        return False
    if owner.lease.is_held():
        owner_file.owned()
        log.info("This process owns the numbers now.", extra={"action": "owner.changed", "epoch": view.token})
        return True
    await _sleep(stop, min(STANDBY_POLL_S, max(0.05, view.remaining_ms / 1000)))
    return False


async def _serve_term(owner: Owner, stop: asyncio.Event, report: StatusReport, scoreboard: Scoreboard) -> None:
    try:
        await owner.database.abort_transactions()
        numbers = await owner.numbers.all()
        seqs = await last_seqs(owner.database, numbers)
        links = owner.links(numbers)
    except Unavailable as error:
        log.warning("Waiting for the database.", extra={"action": "database.waiting", "detail": str(error)})
        await _sleep(stop, STANDBY_POLL_S)
        return
    context = build_context(owner, links=links, numbers=numbers, seqs=seqs, scoreboard=scoreboard)
    term = OwnerTerm(owner, context, TermOptions(renew_s=owner.renew_s))
    report.begin(context)
    try:
        await term.run(stop)
    finally:
        report.end()


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
