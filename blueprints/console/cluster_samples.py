"""The cluster as the console samples it: from the scoreboard of this machine, one sample every ten seconds.

Process: worker.
"""

import os
from dataclasses import asdict
from typing import Any

from sanic import Sanic

from services.console import Sample, sample_of
from services.telemetry.scoreboard import Scoreboard


def sample_now(app: Sanic[Any, Any]) -> Sample | None:
    """What to keep; None when another worker keeps it."""
    scoreboard: Scoreboard = app.ctx.life.scoreboard
    rows = [
        {
            "name": row.name,
            "role": row.role,
            "state": row.state,
            "restarts": row.restarts,
            "vitals": asdict(row.vitals),
            "extra": row.extra,
        }
        for row in scoreboard.rows()
    ]
    return sample_of(rows, me=os.environ.get("SANIC_WORKER_NAME", ""))
