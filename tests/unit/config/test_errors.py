import pickle

from config.errors import Fault, PanalError, PlatformRefused, RequestRefused, Unavailable


class _OptedOut(RequestRefused):
    code = "recipient_opted_out"


def test_a_family_fixes_code_and_retry_and_an_instance_may_say_otherwise() -> None:
    assert (RequestRefused().code, RequestRefused().may_retry) == ("invalid_request", False)
    assert (Unavailable().code, Unavailable().may_retry) == ("unavailable", True)
    assert _OptedOut().code == "recipient_opted_out"
    throttled = PlatformRefused("Too fast.", code="platform_130429", may_retry=True)
    assert (throttled.code, throttled.may_retry) == ("platform_130429", True)
    assert PlatformRefused.may_retry is False


def test_what_the_caller_reads_never_holds_the_operators_detail() -> None:
    error = Unavailable(detail="10.0.0.7:27017 timed out")
    assert "10.0.0.7" not in error.text
    assert "10.0.0.7" in str(error)


def test_an_error_crosses_a_pipe_between_processes() -> None:
    error = _OptedOut("No.", detail="d", faults=[Fault("to", "opted out")], retry_after_s=3, extra={"n": 1})
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert isinstance(copy, _OptedOut)
    assert isinstance(copy, PanalError)
    facts = [(e.text, e.code, e.detail, e.faults, e.retry_after_s, e.extra, str(e)) for e in (error, copy)]
    assert facts[0] == facts[1]
