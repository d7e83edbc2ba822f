"""What a round saw → the lines of the table, each with the next thing to look at where something is wrong. Pure.

Process: none of the cluster's; a command.
"""

from config.locales import text
from tools.verify.process_checks import processes_of, ready_of, steady_of, workers_of
from tools.verify.records import Check, Round
from tools.verify.resource_checks import connections_of, memory_of, operations_of
from tools.verify.speed_checks import answered_of, latency_of, spread_of
from tools.verify.whatsapp_checks import events_of, link_of, owner_of, queue_of, sent_of


def checks_of(found: Round) -> list[Check]:
    """Every line, in the order in which one would look."""

    def say(key: str, /, **figures: object) -> str:
        return text(found.options.locale, f"verify.{key}", **figures)

    if not found.alive.status:
        return [Check(say("reach.name"), False, found.alive.reason, "", say("reach.next", url=found.options.url))]
    reach = Check(say("reach.name"), found.alive.is_good, found.alive.why(), "200", say("reach.next_status"))
    if found.seen.status in (401, 403):
        return [reach, Check(say("key.name"), False, found.seen.why(), "200", say("key.next"))]
    lines = [reach, *answered_of(found, say), *latency_of(found, say), ready_of(found, say)]
    if found.seen.is_good:
        lines[1:1] = [workers_of(found, say), owner_of(found, say), link_of(found, say), *processes_of(found, say)]
        lines += [
            memory_of(found, say),
            connections_of(found, say),
            queue_of(found, say),
            *sent_of(found, say),
            operations_of(found, say),
            events_of(found, say),
            steady_of(found, say),
            spread_of(found, say),
        ]
    else:
        lines.append(Check(say("table.name"), False, found.seen.why(), "200", say("table.next")))
    return lines
