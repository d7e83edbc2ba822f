"""Every type of event. (stub)

Process: worker.
"""

EVENT_TYPES = frozenset(
    {
        f"message.{x}"
        for x in "queued scheduled sending sent delivered read received held uncertain failed expired canceled retried stuck".split()
    }
    | {
        f"webhook_endpoint.{x}"
        for x in "created updated paused resumed disabled deleted failing recovered dead_letter redelivered secret_rotated test".split()
    }
)
EVENT_FAMILIES = frozenset(
    {"message", "conversation", "contact", "template", "number", "campaign", "webhook_endpoint", "cluster"}
)
