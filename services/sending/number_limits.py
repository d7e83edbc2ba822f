"""The limits of a number: its own settings first, then those of the installation.

Process: whatsapp.
"""

from dataclasses import replace

from services.messages import Hold
from services.numbers import Number, allowed_rates
from services.sending.rate_limiter import QuietHours, RateLimiter, SendLimits


def limits_of(number: Number, default: SendLimits) -> SendLimits:
    """Return the limits of a number. What it does not set itself, it takes from ``default``."""
    per_s, daily = allowed_rates(number, per_s=default.per_s, daily_recipients=default.daily_recipients)
    quiet = default.quiet_hours
    if number.quiet_hours is not None:
        quiet = QuietHours.parse(number.quiet_hours) if number.quiet_hours else None
    return replace(default, per_s=per_s, daily_recipients=daily, quiet_hours=quiet)


def set_number(rate_limiter: RateLimiter, number: Number, default: SendLimits) -> None:
    """Give the rate limiter the limits, the hold and the pause that are stored for a number."""
    hold = Hold(number.hold_reason, number.hold_until) if number.hold_reason else None
    rate_limiter.set_number(number.phone_number_id, limits_of(number, default), hold=hold, is_paused=number.is_paused)
