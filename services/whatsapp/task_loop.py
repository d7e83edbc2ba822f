"""The loop that runs one background task for as long as a term lasts.

Process: whatsapp.
"""

import asyncio
import logging

from config.errors import Unavailable
from services.wiring import BackgroundTask, OwnerContext

log = logging.getLogger(__name__)

RETRY_S = 0.5
"""Wait after a step that did not reach the database."""


async def run_forever(task: BackgroundTask, context: OwnerContext) -> None:
    """Step while there is work, then wait for an insert or for time. Raises what a step raises but ``Unavailable``.

    With an operation budget each step waits for its turn, and idle polls come less often.
    """
    budget = context.database.operation_budget
    queue, poll_s = budget.queue(delay=task.delay), task.poll_s * budget.stretch
    while True:
        await queue.turn()
        try:
            count = await task.step()
        except Unavailable as error:
            log.warning(
                "The owner waits for the database.",
                extra={"action": "owner.waiting", "background_task": task.name, "detail": str(error)},
            )
            await asyncio.sleep(RETRY_S)
            continue
        if count and not task.is_thorough:
            continue
        if task.inbox is None:
            await asyncio.sleep(poll_s)
        else:
            await context.change_notifier.wait(task.inbox, poll_s=poll_s, reader=task.name)
