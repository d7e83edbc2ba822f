"""Every fault of a body is named once, with the path that a caller would write and a sentence of ours."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field, StringConstraints, ValidationError, model_validator

from config.errors import Fault, RequestRefused
from config.request_models import Moment, RequestModel, Says, fault, holds, parse_request, path_of, several


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


def _both(value: dict[str, int]) -> dict[str, int]:
    raise several([Fault("", "is one"), Fault(".inner.name", "is two"), Fault("[3]", "is three")])


Name = Annotated[str, StringConstraints(max_length=5), holds(str.isprintable), Says("must be a short text")]
Lower = Annotated[str, holds(str.islower), Says("must be lower case")]


class Parcel(RequestModel):
    refusal: ClassVar[str] = "The parcel is not valid."
    unknown_field: ClassVar[str] = "is not a field of a parcel"

    name: Name
    sender: Name | None = Field(default=None, alias="from")
    size: Annotated[Size, Field(strict=False), Says("must be small or large")] = Size.SMALL
    marks: Annotated[list[Annotated[int, Says("must be a number")]], Says("must be a list of marks")] = Field(
        default_factory=list
    )
    words: Annotated[list[str], Says("must be words", covers_items=True)] = Field(default_factory=list)
    notes: Annotated[dict[Lower, Annotated[str, Says("must be a text")]], Says("must be an object of notes")] = Field(
        default_factory=dict
    )
    at: Moment | None = None
    odd: Annotated[dict[str, int], holds(bool), Says("must not be empty")] | None = None

    @model_validator(mode="after")
    def _is_sent_to_somebody_else(self) -> "Parcel":
        if self.name == self.sender:
            raise fault("comes from whom it goes to")
        return self


def faults(raw: dict[str, Any], model: type[RequestModel] = Parcel) -> dict[str, str]:
    with pytest.raises(RequestRefused) as refused:
        parse_request(model, raw)
    paths = [one.path for one in refused.value.faults]
    assert len(paths) == len(set(paths)), "no path twice"
    assert refused.value.text == model.refusal
    return {one.path: one.reason for one in refused.value.faults}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({}, {"name": "must be a short text"}),
        ({"name": "too long"}, {"name": "must be a short text"}),
        ({"name": "a\0"}, {"name": "must be a short text"}),
        ({"name": "\ud800"}, {"name": "must be a short text"}),
        ({"name": "Ana", "from": 7}, {"from": "must be a short text"}),
        ({"name": "Ana", "sender": "Bo"}, {"sender": "is not a field of a parcel"}),
        ({"name": "Ana", "size": True}, {"size": "must be small or large"}),
        ({"name": "Ana", "size": {"$ne": ""}}, {"size": "must be small or large"}),
        ({"name": "Ana", "marks": {}}, {"marks": "must be a list of marks"}),
        (
            {"name": "Ana", "marks": [1, True, "x", 2]},
            {"marks[1]": "must be a number", "marks[2]": "must be a number"},
        ),
        ({"name": "Ana", "words": ["a", 1, 2]}, {"words": "must be words"}),
        ({"name": "Ana", "notes": []}, {"notes": "must be an object of notes"}),
        ({"name": "Ana", "notes": {"a": 1, "B": 2}}, {"notes.a": "must be a text", "notes.B": "must be lower case"}),
        ({"name": "Ana", "at": "today"}, {"at": "must be a time with a zone, for example 2026-01-31T09:30:00Z"}),
        ({"name": "Ana", "odd": {}}, {"odd": "must not be empty"}),
        ({"name": "Ana", "from": "Ana"}, {"": "comes from whom it goes to"}),
    ],
    ids=str,
)
def test_a_fault_has_its_path_and_our_sentence(raw: dict[str, Any], found: dict[str, str]) -> None:
    assert faults(raw) == found


def test_all_faults_are_told_at_once_unknown_fields_first() -> None:
    found = faults({"size": 1, "name": 2, "at": 3, "colour": "blue", "weight": 4})
    assert list(found) == ["colour", "weight", "name", "size", "at"]


def test_given_tells_null_from_nothing() -> None:
    assert parse_request(Parcel, {"name": "Ana", "from": None}).given() == {"name": "Ana", "sender": None}


def test_a_model_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        parse_request(Parcel, {"name": "Ana"}).name = "Bo"  # type: ignore[misc]


def test_a_validator_that_looks_inside_names_paths_below_its_value() -> None:
    class Box(RequestModel):
        parts: Annotated[dict[str, int], holds(bool), Says("must have parts")]

        @model_validator(mode="before")
        @classmethod
        def _looked_into(cls, raw: dict[str, Any]) -> dict[str, Any]:
            return _both(raw) if raw.get("parts") == "?" else raw

    assert faults({"parts": "?"}, Box) == {"": "is one", "inner.name": "is two", "[3]": "is three"}
    assert faults({}, Box) == {"parts": "must have parts"}


@pytest.mark.parametrize(
    ("loc", "path"),
    [((), ""), (("a",), "a"), (("a", 0, "b"), "a[0].b"), ((0, 1), "[0][1]")],
)
def test_a_path_is_written_as_callers_write_it(loc: tuple[int | str, ...], path: str) -> None:
    assert path_of(loc) == path
