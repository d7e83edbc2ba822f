"""Numbers: the phone numbers that we operate.

Process: worker, whatsapp.
"""

from services.numbers.commands import NumberCommands
from services.numbers.directory import Numbers, UnknownNumber
from services.numbers.limits import Allowance, NumberLimits, OwnPace
from services.numbers.projection import project_number
from services.numbers.readiness import Readiness, ReadinessReport
from services.numbers.records import Number
from services.numbers.repository import NumberRepository

__all__ = [
    "Allowance",
    "Number",
    "NumberCommands",
    "NumberLimits",
    "NumberRepository",
    "Numbers",
    "OwnPace",
    "Readiness",
    "ReadinessReport",
    "UnknownNumber",
    "project_number",
]
