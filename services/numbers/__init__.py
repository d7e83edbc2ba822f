"""Numbers: the phone numbers that we operate.

Process: worker, whatsapp.
"""

from services.numbers.cache import NumberCache, UnknownNumber
from services.numbers.commands import NumberCommands
from services.numbers.limits import Allowance, NumberLimits, OwnPace, own_pace
from services.numbers.projection import project_number
from services.numbers.readiness import Readiness, ReadinessReport
from services.numbers.records import Number, allowed_rates, recipients_of
from services.numbers.repository import NumberRepository
from services.numbers.requests import parse_settings
from services.numbers.state import NumberState
from services.numbers.sync import NumberSync

__all__ = [
    "Allowance",
    "Number",
    "NumberCache",
    "NumberCommands",
    "NumberLimits",
    "NumberRepository",
    "NumberState",
    "NumberSync",
    "OwnPace",
    "Readiness",
    "ReadinessReport",
    "UnknownNumber",
    "allowed_rates",
    "own_pace",
    "parse_settings",
    "project_number",
    "recipients_of",
]
