"""Numbers: the phone numbers that we operate.

Process: worker, whatsapp.
"""

from services.numbers.commands import NumberCommands
from services.numbers.directory import Numbers, UnknownNumber
from services.numbers.projection import project_number
from services.numbers.readiness import Readiness, ReadinessReport
from services.numbers.records import Number
from services.numbers.repository import NumberRepository

__all__ = [
    "Number",
    "NumberCommands",
    "NumberRepository",
    "Numbers",
    "Readiness",
    "ReadinessReport",
    "UnknownNumber",
    "project_number",
]
