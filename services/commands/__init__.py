"""Commands: what only the owner may do, asked for by any worker, stored before it is done.

Process: worker (submits), whatsapp (carries out).
"""

from services.commands.client import CommandClient, CommandTaken
from services.commands.concurrent_executor import ConcurrentExecutor
from services.commands.executor import Command, CommandExecutor, Handler, Outcome

__all__ = [
    "Command",
    "CommandClient",
    "CommandExecutor",
    "CommandTaken",
    "ConcurrentExecutor",
    "Handler",
    "Outcome",
]
