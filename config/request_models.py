"""From decoded JSON to a frozen model, with the path and reason of every fault.

Each noun writes its bodies as `RequestModel`s in its own `requests.py`; this module says how pydantic's errors become
`Fault`s. A field keeps our own sentence through `Says`.

Process: worker.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, TypeVar, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from config.clock import moment_of
from config.errors import Fault, RequestRefused

REASONS: Final[Mapping[str, str]] = {
    "missing": "is required",
    "string_type": "must be a string",
    "string_unicode": "contains half of a surrogate pair, which is not Unicode text",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be an array",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must not be empty",
    "too_long": "must have at most {max_length} items, not {actual_length}",
    "too_short": "must have at least {min_length} items, not {actual_length}",
    "literal_error": "must be {expected}",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
}
"""Our words for the errors of pydantic that a caller can cause."""

MOMENT_RULE: Final = "must be a time with a zone, for example 2026-01-31T09:30:00Z"

_SENTENCE: Final = "our_sentence"
_SEVERAL: Final = "several_faults"
_UNKNOWN_FIELD: Final = "extra_forbidden"
_KEY: Final = "[key]"
"""What pydantic writes behind the name of a member when the name is faulty."""


class RequestModel(BaseModel):
    """A body as a caller may write it: nothing is converted, nothing unknown is taken."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    refusal: ClassVar[str] = RequestRefused.default_text
    """What the answer says above the faults."""
    unknown_field: ClassVar[str] = "is not known here"
    """Why a field is refused that the model does not have."""

    def given(self) -> dict[str, Any]:
        """The checked values of the fields that the caller wrote, null included; the others are left out."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


Model = TypeVar("Model", bound=RequestModel)


@dataclass(frozen=True, slots=True)
class Says:
    """Annotates a type with one sentence: the reason of whatever is wrong with the value, a missing field included.

    Faults below the value (members, items) keep their own paths and sentences, unless the sentence ``covers_items``:
    then the value has one fault.
    """

    reason: str
    covers_items: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        if get_origin(source) in (list, dict) and not self.covers_items:
            return core_schema.no_info_wrap_validator_function(self._check, schema)
        # Nothing below the value can speak for itself, so pydantic puts the sentence in its place without our help.
        return core_schema.custom_error_schema(
            schema, _SENTENCE, custom_error_message="{reason}", custom_error_context={"reason": self.reason}
        )

    def _check(self, value: Any, inner: core_schema.ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError as error:
            if all(not entry["loc"] and entry["type"] != _SEVERAL for entry in _entries(error)):
                raise fault(self.reason) from None
            raise


def holds(predicate: Callable[[Any], bool]) -> AfterValidator:
    """Annotates a type with a condition. ``Says`` behind it tells the caller what is wanted."""

    def check(value: Any) -> Any:
        if not predicate(value):
            raise fault("is not valid")
        return value

    return AfterValidator(check)


def fault(reason: str) -> PydanticCustomError:
    """What a validator raises: the reason of the one fault of its value."""
    return PydanticCustomError(_SENTENCE, "{reason}", {"reason": reason})


def several(faults: Sequence[Fault]) -> PydanticCustomError:
    """What a validator raises that looks into its value by itself.

    The paths begin at the value: ``.name`` of a member, ``[3]`` of an item, nothing for the value itself.
    """
    return PydanticCustomError(_SEVERAL, "has several faults", {"faults": tuple(faults)})


def parse_request(model: type[Model], raw: Mapping[str, Any], *, context: Mapping[str, Any] | None = None) -> Model:
    """A decoded JSON object as the model. Raises ``RequestRefused`` with the path and reason of every fault.

    ``context`` is what the model's validators need to know besides the body: the time, another noun's rule.
    """
    try:
        return model.model_validate(raw, context=dict(context or {}))
    except ValidationError as error:
        raise RequestRefused(model.refusal, faults=faults_of(model, error)) from error


def faults_of(model: type[RequestModel], error: ValidationError) -> list[Fault]:
    """Every fault: fields that the model does not have first, then in the order of its fields."""
    entries = sorted(_entries(error), key=lambda entry: entry["type"] != _UNKNOWN_FIELD)
    faulty_names = {entry["loc"][:-1] for entry in entries if entry["loc"][-1:] == (_KEY,)}
    # Nothing is said of the value when the name before it is faulty.
    return [one for entry in entries if entry["loc"] not in faulty_names for one in _faults(model, entry)]


def path_of(loc: Sequence[int | str]) -> str:
    """``("messages", 3, "text")`` as callers read it: ``messages[3].text``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")


def reason_of(entry: ErrorDetails) -> str:
    """Why pydantic refused a value, in our words where we have some."""
    template = REASONS.get(entry["type"])
    return template.format_map(entry.get("ctx", {})) if template else entry["msg"][:1].lower() + entry["msg"][1:]


def _faults(model: type[RequestModel], entry: ErrorDetails) -> Iterator[Fault]:
    kind, loc = entry["type"], entry["loc"]
    path = path_of(loc[:-1] if loc[-1:] == (_KEY,) else loc)
    if kind == _SEVERAL:
        for one in entry["ctx"]["faults"]:
            yield Fault((path + one.path).removeprefix("."), one.reason)
    elif kind == _UNKNOWN_FIELD:
        yield Fault(path, model.unknown_field)
    else:
        sentence = _sentence_of(model, loc) if kind == "missing" else None
        yield Fault(path, sentence or reason_of(entry))


def _sentence_of(model: type[RequestModel], loc: tuple[int | str, ...]) -> str | None:
    """What a field ``Says``: a missing one is told the same as a faulty one."""
    fields = (field for name, field in model.model_fields.items() if loc == (field.alias or name,))
    return next((mark.reason for field in fields for mark in field.metadata if isinstance(mark, Says)), None)


def _entries(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_input=False)


def _moment(value: Any) -> datetime:
    moment = moment_of(value)
    if moment is None:
        raise fault(MOMENT_RULE)
    return moment


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""An RFC 3339 text with a zone, as aware UTC."""
