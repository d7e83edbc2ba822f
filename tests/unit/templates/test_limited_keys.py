"""Templates belong to an account: who may use some of its numbers reads them, who may use all of them changes them."""

from typing import Any, cast

import pytest

from services.keys import Caller, NotPermitted, Scope
from services.numbers import Number
from services.templates import TemplateService

A, B, C = "12025550101", "12025550102", "12025550103"


class SomeNumbers:
    """Two numbers of one account, and one of another."""

    async def all(self) -> list[Number]:
        return [Number(one, waba, one, "sandbox") for one, waba in ((A, "waba_1"), (B, "waba_1"), (C, "waba_2"))]


class NoGraph:
    """A call that reaches WhatsApp here went too far."""

    def token_of(self, number: str) -> str:
        raise AssertionError(f"asked for the token of {number}")


def account() -> TemplateService:
    return TemplateService(cast(Any, NoGraph()), cast(Any, SomeNumbers()), cast(Any, None))


def caller(*numbers: str) -> Caller:
    return Caller("key_1", "limited", frozenset({Scope.TEMPLATES}), frozenset(numbers))


@pytest.mark.parametrize("call", ["create", "edit", "delete"])
async def test_a_key_for_some_numbers_of_an_account_changes_no_template_there(call: str) -> None:
    number = (await SomeNumbers().all())[0]
    details: dict[str, tuple[Any, ...]] = {"create": ({},), "edit": ("1", {}), "delete": (None,)}
    with pytest.raises(NotPermitted):
        await getattr(account(), call)(number, *details[call], caller(A))


@pytest.mark.parametrize(
    ("numbers", "waba"), [((A, B), "waba_1"), ((A, B, C), "waba_1"), ((C,), "waba_2"), ((), "waba_1")]
)
async def test_a_key_for_all_of_them_may(numbers: tuple[str, ...], waba: str) -> None:
    await account().require_all(waba, caller(*numbers))
