"""The owner: the one process that sends messages, ingests notifications, numbers events and runs background tasks.

Process: whatsapp.
"""

from services.whatsapp.process import run_whatsapp

__all__ = ["run_whatsapp"]
