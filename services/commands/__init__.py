"""Commands: what only the owner may do, asked for by any worker, stored before it is done.

Process: worker (submits), whatsapp (carries out).
"""

from services.commands.desk import Command, CommandDesk, Handler, Outcome
from services.commands.errands import ErrandDesk
from services.commands.submit import Commands, CommandTaken

__all__ = ["Command", "CommandDesk", "CommandTaken", "Commands", "ErrandDesk", "Handler", "Outcome"]
