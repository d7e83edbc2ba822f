"""Numbers: the phone numbers that we operate.

Process: worker, whatsapp.
"""

from services.numbers.directory import Numbers, UnknownNumber
from services.numbers.readiness import Readiness, ReadinessReport
from services.numbers.records import Number
from services.numbers.repository import NumberRepository

__all__ = ["Number", "NumberRepository", "Numbers", "Readiness", "ReadinessReport", "UnknownNumber"]
