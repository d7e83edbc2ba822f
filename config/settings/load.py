"""Read PANAL_* variables once into one frozen `Settings`, and say everything that is wrong with them at once.

Process: all of them. Only `load_settings` looks at the environment; `Settings(...)` never does.
"""

import os
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from config.settings.checks import production_faults, relation_faults
from config.settings.fields import PREFIX, Settings, variable


class SettingsRefused(Exception):
    """The settings do not hold. `faults` has one line for each reason, and names the variable; no value of a secret."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(faults)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(self.faults)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read PANAL_* variables (the process's own environment when None). An empty variable counts as not set.

    Raises SettingsRefused with every fault at once: wrong values, figures that contradict each other, and
    what production does not allow.
    """
    source = os.environ if environ is None else environ
    values: dict[str, Any] = {
        name: source[variable(name)] for name in Settings.model_fields if source.get(variable(name))
    }
    faults: list[str] = []
    faulty: set[str] = set()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            if problem["type"] == "default_factory_not_called":
                continue  # a default that could not be made because another setting is at fault
            name = str(problem["loc"][0])
            faulty.add(name)
            faults.append(f"{variable(name)}: {problem['msg']}")
        # What is left is checked as well, so that the operator sees everything in one go.
        settings = Settings(**{name: value for name, value in values.items() if name not in faulty})
    for names, reason in [*relation_faults(settings), *production_faults(settings)]:
        if faulty.isdisjoint(names):
            faults.append(f"{variable(names[0])}: {reason}")
    if faults:
        raise SettingsRefused(faults)
    return settings


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """PANAL_* variables that no setting reads: a typing error, most likely. A warning, not a refusal."""
    known = {variable(name) for name in Settings.model_fields}
    return sorted(key for key in environ if key.startswith(PREFIX) and key not in known)
