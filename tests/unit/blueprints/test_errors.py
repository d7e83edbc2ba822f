"""The one table of HTTP statuses: every error of ours has one, and one that fits its family."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import services
from blueprints.errors import _STATUS_OF_CODE, _TITLES, status_of
from config.errors import PanalError, PlatformRefused, RequestRefused, Unavailable
from services.graph import classify
from services.links import NotSubmitted, SendRefused
from services.store import StorageFull


def every_error() -> Iterator[type[PanalError]]:
    """Every class of ours, wherever it stands."""
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    left = [PanalError]
    while left:
        found = left.pop()
        yield found
        left += found.__subclasses__()


def test_the_families_decide_where_no_code_does() -> None:
    assert status_of(RequestRefused("x", code="unheard_of")) == 422
    assert status_of(PlatformRefused("x")) == 502
    assert status_of(Unavailable("x")) == 503
    assert status_of(PanalError("x")) == 500
    assert status_of(NotSubmitted()) == 503
    assert status_of(StorageFull(detail="x")) == 507
    assert status_of(SendRefused(classify(131026), title="Message undeliverable")) == 502


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("not_authenticated", 401),
        ("bad_signature", 401),
        ("not_permitted", 403),
        ("not_found", 404),
        ("idempotency_conflict", 409),
        ("wrong_state", 409),
        ("body_too_large", 413),
        ("batch_too_large", 413),
        ("too_many_requests", 429),
    ],
)
def test_codes_with_a_status_of_their_own(code: str, status: int) -> None:
    assert status_of(RequestRefused("x", code=code)) == status


def test_every_status_has_a_title() -> None:
    assert {*_STATUS_OF_CODE.values(), 405, 408, 422, 500, 502, 503, 507} <= set(_TITLES)


def test_every_error_has_a_code_that_can_stand_in_a_link_and_words_for_its_caller() -> None:
    for error in every_error():
        assert error.code.replace("_", "").isalnum(), error
        assert error.code.islower(), error
        assert error.default_text.endswith("."), error


def test_what_the_caller_can_mend_is_4xx_and_what_may_pass_is_not() -> None:
    for error in every_error():
        status = status_of(error.__new__(error))
        if issubclass(error, RequestRefused):
            assert 400 <= status < 500, error
        elif issubclass(error, Unavailable):
            assert status == (507 if issubclass(error, StorageFull) else 503), error
            assert error.may_retry, error
        else:
            assert status >= 500, error
