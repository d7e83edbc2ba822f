"""The send policy: a template that goes in place of a text is judged as the message that it is."""

from collections.abc import Iterable

from services.conversations import Standing
from services.messages import Message
from services.messages.records import OnWindowClosed
from services.sending import RateLimiter, SendLimits, SendPolicy
from services.sending.send_policy import Go, Refuse
from tests.doubles.clock import START
from tests.doubles.event_writer import NUMBER
from tests.doubles.messages import outgoing

FALLBACK = {"name": "offer", "language": {"code": "es"}}


class NoMarketing:
    """Everybody opted out of marketing."""

    async def load(self, keys: Iterable[str]) -> None:
        """Known already."""

    def blocks(self, key: str, *, is_marketing: bool, number: str | None = None) -> str | None:
        return "has opted out of marketing messages" if is_marketing else None


def policy(*, is_open: bool) -> SendPolicy:
    rate_limiter = RateLimiter()
    rate_limiter.set_number(NUMBER, SendLimits(per_s=80, pair_period_s=6, pair_burst=45), hold=None, is_paused=False)
    standing = Standing("cnv_1", last_inbound_at=START if is_open else None)

    def is_marketing(message: Message) -> bool:
        return message.kind == "template" and message.payload["template"]["name"] == "offer"

    return SendPolicy(
        rate_limiter, standing_of=lambda _number, _key: standing, consents=NoMarketing(), is_marketing=is_marketing
    )


def text(fallback: dict[str, object]) -> Message:
    return outgoing(1, on_window_closed=OnWindowClosed.TEMPLATE, fallback_template=fallback)


def test_a_marketing_template_does_not_reach_who_opted_out_as_a_replacement_either() -> None:
    verdict = policy(is_open=False).evaluate(text(FALLBACK), START)
    assert isinstance(verdict, Refuse)
    assert (verdict.code, verdict.graph_code) == ("opted_out", 131050)


def test_the_text_itself_goes_while_the_window_is_open() -> None:
    assert policy(is_open=True).evaluate(text(FALLBACK), START) == Go(payload=None, is_initiation=False)


def test_another_template_may_replace_it() -> None:
    verdict = policy(is_open=False).evaluate(text({**FALLBACK, "name": "order"}), START)
    assert isinstance(verdict, Go)
    assert verdict.payload == {"type": "template", "template": {**FALLBACK, "name": "order"}}
