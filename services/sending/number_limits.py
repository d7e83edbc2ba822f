"""How fast a number may send, as the rate_limiter wants it.

Process: whatsapp.
"""

from dataclasses import replace

from services.numbers import Number, allowed_rates
from services.sending.rate_limiter import QuietHours, SendLimits


def limits_of(number: Number, default: SendLimits) -> SendLimits:
    """The number's own settings before those of the installation."""
    per_s, daily = allowed_rates(number, per_s=default.per_s, daily_recipients=default.daily_recipients)
    quiet = default.quiet_hours
    if number.quiet_hours is not None:
        quiet = QuietHours.parse(number.quiet_hours) if number.quiet_hours else None
    return replace(default, per_s=per_s, daily_recipients=daily, quiet_hours=quiet)
