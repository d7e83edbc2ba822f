"""The README's table of settings: `python -m config.settings.table [es|en]` writes it, a test checks it.

Process: none of the cluster's; a command.
"""

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.settings.fields import Settings, variable

HEADS = {"en": ("variable", "default", "unit", "meaning"), "es": ("variable", "por defecto", "unidad", "significado")}
UNITS_ES = {
    "port": "puerto",
    "connections": "conexiones",
    "servers": "servidores",
    "boxes": "cajas",
    "requests": "peticiones",
    "deaths": "muertes",
    "messages": "mensajes",
    "operations/s": "operaciones/s",
    "streams": "flujos",
    "events": "eventos",
    "days": "días",
    "people": "personas",
}
"""Units that are words; `s`, `ms`, `MB`, `bytes` and `workers` are the same in both languages."""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of the settings table in the README."""

    variable: str
    default: str
    unit: str
    meaning: str


def describe_settings(locale: Literal["es", "en"] = "en") -> list[SettingRow]:
    """Every setting in the order of the class, in English or Spanish."""
    spanish = spanish_meanings() if locale == "es" else {}
    rows = []
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        default = spanish.get(f"{name}_default") or _shown(extra.get("default_text", field.default))
        unit = str(extra.get("unit", ""))
        if locale == "es":
            unit = UNITS_ES.get(unit, unit)
            default = default.replace("empty", "vacío")
        rows.append(SettingRow(variable(name), default, unit, spanish.get(name) or field.description or ""))
    return rows


def spanish_meanings() -> dict[str, str]:
    """`settings_es.toml`, by the name of the setting."""
    path = Path(__file__).parents[1] / "locales" / "settings_es.toml"
    return {key: str(value) for key, value in tomllib.loads(path.read_text(encoding="utf-8")).items()}


def render_settings_table(locale: Literal["es", "en"] = "en") -> str:
    """The table as Markdown, without a line break at its end."""
    heads = HEADS[locale]
    lines = [_line(*heads), _line(*["---"] * len(heads))]
    lines += [_line(f"`{row.variable}`", row.default, row.unit, row.meaning) for row in describe_settings(locale)]
    return "\n".join(lines)


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, float):
        return f"`{default:g}`"
    text = str(default)
    if ";" in text:  # a sentence, not a value
        return text
    return f"`{text}`" if text else "empty"


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(render_settings_table("es" if sys.argv[1:] == ["es"] else "en") + "\n")
