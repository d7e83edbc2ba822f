"""What callers say about a campaign: read from JSON once, with the path and reason of every fault.

Process: worker.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from config.clock import moment_of
from config.errors import Fault, RequestRefused
from services.campaigns.records import Audience, CampaignCategory
from services.campaigns.template import PLACEHOLDER
from services.contacts import IDENTITY_RULE, identity_of
from services.messages import parse_content

MAX_NAME_CHARS: Final = 200
MAX_RATE: Final = 100_000
MAX_SCHEDULE: Final = timedelta(days=366)
MAX_VARIABLES: Final = 30
MAX_VARIABLE_CHARS: Final = 1024
MAX_TEMPLATE_BYTES: Final = 32_768
VARIABLE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SAMPLE_TO: Final = "15550000000"
_FIELDS: Final = frozenset(
    {"name", "from", "template", "category", "audience", "send_at", "rate_per_minute", "start", "recipients"}
)
_PATCHED: Final = frozenset({"name", "template", "category", "send_at", "rate_per_minute"})


@dataclass(frozen=True, slots=True)
class Person:
    """One person of a list, as it came: contact key and variables."""

    key: str
    variables: dict[str, str]


@dataclass(frozen=True, slots=True)
class CampaignRequest:
    """A campaign that a caller wants. ``values`` are the data of its fact; ``people`` the list in the body."""

    values: dict[str, Any]
    phone_number_id: str | None
    audience: Audience
    people: list[Person]
    is_started: bool


def parse_campaign(raw: Mapping[str, Any], *, now: datetime) -> CampaignRequest:
    """A new campaign. Raises ``RequestRefused`` with every fault."""
    faults = [Fault(name, "is not known here") for name in sorted(raw.keys() - _FIELDS)]
    number, start = raw.get("from"), raw.get("start", False)
    if number is not None and not isinstance(number, str):
        faults.append(Fault("from", "must be a phone_number_id"))
    if not isinstance(start, bool):
        faults.append(Fault("start", "must be true or false"))
    values = {
        "rate_per_minute": None,
        "send_at": None,
        "category": CampaignCategory.MARKETING.value,
        **_values({"name": raw.get("name"), "template": raw.get("template"), **raw}, now, faults),
    }
    audience, people = _audience(raw, faults)
    if faults:
        raise RequestRefused("The campaign is not valid.", faults=faults)
    return CampaignRequest(values, number, audience, people, is_started=bool(start))


def parse_changes(raw: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Changes of a campaign as the data of a command. Raises ``RequestRefused``."""
    faults = [Fault(name, "cannot be changed") for name in sorted(raw.keys() - _PATCHED)]
    values = _values(raw, now, faults)
    if faults:
        raise RequestRefused("The change is not valid.", faults=faults)
    return values


def parse_people(raw: Mapping[str, Any]) -> list[Person]:
    """The list of a body ``{"recipients": […]}``. Raises ``RequestRefused`` with every fault."""
    faults: list[Fault] = []
    people = _people(raw.get("recipients"), "recipients", faults)
    if faults:
        raise RequestRefused("The list is not valid.", faults=faults)
    return people


def person_of(to: object, variables: Mapping[str, object]) -> tuple[Person | None, list[tuple[str, str]]]:
    """One person of a list, or what is wrong, as paths and reasons."""
    wrong: list[tuple[str, str]] = []
    text = str(to) if isinstance(to, int) and not isinstance(to, bool) else to
    identity = identity_of(text) if isinstance(text, str) else None
    if identity is None:
        wrong.append(("to", IDENTITY_RULE))
    if len(variables) > MAX_VARIABLES:
        wrong.append(("variables", f"must be at most {MAX_VARIABLES}"))
    clean: dict[str, str] = {}
    for name, value in variables.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not VARIABLE_NAME.fullmatch(name):
            wrong.append((f"variables.{name}", "is no variable name: letters, digits, _ and -, 64 at most"))
        elif not isinstance(value, str) or len(value) > MAX_VARIABLE_CHARS or not _is_storable(value):
            wrong.append(
                (f"variables.{name}", f"must be a text of at most {MAX_VARIABLE_CHARS} characters, or a number")
            )
        elif value:
            clean[name] = value
    if wrong or identity is None:
        return None, wrong
    return Person(identity.key, clean), []


def _values(raw: Mapping[str, Any], now: datetime, faults: list[Fault]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "name" in raw:
        values["name"] = name = raw["name"]
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME_CHARS or not _is_storable(name):
            faults.append(Fault("name", f"must be a text of 1 to {MAX_NAME_CHARS} characters"))
    if "template" in raw:
        values["template"] = _template(raw["template"], faults)
    if "category" in raw:
        values["category"] = raw["category"]
        if raw["category"] not in [category.value for category in CampaignCategory]:
            faults.append(Fault("category", "must be marketing, utility or authentication"))
    if "rate_per_minute" in raw:
        values["rate_per_minute"] = rate = raw["rate_per_minute"]
        is_whole = isinstance(rate, int) and not isinstance(rate, bool)
        if rate is not None and not (is_whole and 1 <= rate <= MAX_RATE):
            faults.append(Fault("rate_per_minute", f"must be a whole number from 1 to {MAX_RATE}, or null"))
    if "send_at" in raw:
        values["send_at"] = _send_at(raw["send_at"], now, faults)
    return values


def _template(value: Any, faults: list[Fault]) -> dict[str, Any]:
    """Checked as it would be sent, with a word in the place of each variable."""
    if not isinstance(value, dict):
        faults.append(Fault("template", "must be a template object: name, language, components"))
        return {}
    template = {**value, "language": {"code": value["language"]}} if isinstance(value.get("language"), str) else value
    try:
        size = len(orjson.dumps(template))
    except orjson.JSONEncodeError:
        size = MAX_TEMPLATE_BYTES + 1
    if size > MAX_TEMPLATE_BYTES:
        faults.append(Fault("template", f"must be at most {MAX_TEMPLATE_BYTES} bytes of JSON"))
        return {}
    try:
        parse_content({"to": _SAMPLE_TO, "type": "template", "template": _with_samples(template)})
    except RequestRefused as refusal:
        faults.extend(refusal.faults)
    return template


def _with_samples(value: Any) -> Any:
    if isinstance(value, str):
        return PLACEHOLDER.sub("x", value)
    if isinstance(value, Mapping):
        return {key: _with_samples(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_samples(item) for item in value]
    return value


def _send_at(value: Any, now: datetime, faults: list[Fault]) -> datetime | None:
    if value is None:
        return None
    moment = moment_of(value)
    if moment is None:
        faults.append(Fault("send_at", "must be a time with a zone, for example 2026-01-31T09:30:00Z"))
        return None
    if moment > now + MAX_SCHEDULE:
        faults.append(Fault("send_at", "must be within a year from now"))
    return moment


def _audience(raw: Mapping[str, Any], faults: list[Fault]) -> tuple[Audience, list[Person]]:
    audience = raw.get("audience", {})
    if not isinstance(audience, Mapping) or audience.keys() - {"label", "recipients"}:
        faults.append(Fault("audience", "must be an object with label or recipients"))
        return Audience(), []
    label = audience.get("label")
    if label is not None and (not isinstance(label, str) or not 0 < len(label) <= 64 or not _is_storable(label)):
        faults.append(Fault("audience.label", "must be a label of 1 to 64 characters"))
    if label is not None and "recipients" in audience:
        faults.append(Fault("audience", "must have label or recipients, not both"))
    people = _people(audience["recipients"], "audience.recipients", faults) if "recipients" in audience else []
    return Audience(label=label), people


def _people(value: Any, path: str, faults: list[Fault]) -> list[Person]:
    if not isinstance(value, list) or not value:
        faults.append(Fault(path, 'must be a list of {"to": …, "variables": {…}}'))
        return []
    people = []
    for position, item in enumerate(value):
        entry = {"to": item} if isinstance(item, str | int) else item
        variables = entry.get("variables", {}) if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or not isinstance(variables, Mapping):
            faults.append(Fault(f"{path}[{position}]", 'must be {"to": …, "variables": {…}}'))
            continue
        person, wrong = person_of(entry.get("to"), variables)
        if person is None:
            faults += [Fault(f"{path}[{position}].{name}", reason) for name, reason in wrong]
        else:
            people.append(person)
        if len(faults) > 200:
            return people
    return people


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
