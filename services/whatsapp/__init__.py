"""The owner: the one process that sends, ingests, orders, numbers and remembers.

Process: whatsapp.
"""

from services.whatsapp.process import run_whatsapp

__all__ = ["run_whatsapp"]
