"""The page of settings, in both languages: `python -m config.settings.table en > docs/settings.md` writes it.

Process: none of the cluster's; a command. tests/unit/test_readme.py compares docs/settings.md and docs/settings.es.md
with its output.
"""

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.settings.fields import Settings, variable

Locale = Literal["es", "en"]

INTRODUCTIONS: dict[Locale, str] = {
    "en": """\
# Settings

*Español: [settings.es.md](settings.es.md)*

Panal reads every setting from an environment variable, once, at start. `make run` needs none of them.

* A wrong value stops the start with exit code 78. Panal lists all faults together, and names the variable of each.
* Values that contradict each other stop it, too: the owner's lease must outlast two renewals, for example.
* An unknown `PANAL_*` variable gives a warning: it may be a misspelling.
* `make plan` prints the workers, connections and memory that follow from these values. It starts nothing.

[deploy.md](deploy.md) shows which settings production needs. WhatsApp's own limits are not settings.
""",
    "es": """\
# Ajustes

*English: [settings.md](settings.md)*

Panal lee cada ajuste de una variable de entorno, una sola vez, al arrancar. `make run` no necesita ninguna.

* Un valor incorrecto impide el arranque, con el código de salida 78. Panal muestra juntos todos los fallos y nombra la
  variable de cada uno.
* Los valores que se contradicen también lo impiden: el contrato del dueño, por ejemplo, debe durar más de dos
  renovaciones.
* Una variable `PANAL_*` desconocida produce un aviso: puede ser una errata.
* `make plan` muestra los workers, las conexiones y la memoria que resultan de estos valores. No arranca nada.

[deploy.es.md](deploy.es.md) explica qué ajustes necesita producción. Los límites propios de WhatsApp no son ajustes.
""",
}

GROUPS: tuple[tuple[str, dict[Locale, str]], ...] = (
    ("profile", {"en": "General", "es": "General"}),
    ("mongodb_uri", {"en": "Database", "es": "Base de datos"}),
    ("instances", {"en": "Processes", "es": "Procesos"}),
    ("max_body_bytes", {"en": "HTTP", "es": "HTTP"}),
    ("console_idle_s", {"en": "Console and access", "es": "Consola y acceso"}),
    ("whatsapp", {"en": "WhatsApp", "es": "WhatsApp"}),
    ("number_rate_per_s", {"en": "Sending", "es": "Envío"}),
    ("opt_out_words", {"en": "Opt-outs and campaigns", "es": "Bajas y campañas"}),
    ("webhook_schedule", {"en": "Webhook endpoints", "es": "Endpoints de webhook"}),
    ("retention_messages_days", {"en": "Retention", "es": "Conservación"}),
)
"""The first setting of each group, in the order of the class: a new setting belongs to the group that it stands in."""

HEADS = {"en": ("variable", "default", "unit", "meaning"), "es": ("variable", "por defecto", "unidad", "significado")}
UNITS_ES = {
    "port": "puerto",
    "connections": "conexiones",
    "servers": "servidores",
    "hosts": "máquinas",
    "requests": "peticiones",
    "deaths": "muertes",
    "messages": "mensajes",
    "messages/s": "mensajes/s",
    "operations/s": "operaciones/s",
    "streams": "flujos",
    "events": "eventos",
    "days": "días",
    "people": "personas",
    "recipients": "destinatarios",
    "deliveries": "entregas",
}
"""Units that are words; `s`, `ms`, `MB`, `bytes` and `workers` are the same in both languages."""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of the table of settings."""

    variable: str
    default: str
    unit: str
    meaning: str


def describe_settings(locale: Locale = "en") -> list[SettingRow]:
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


def render_settings_page(locale: Locale = "en") -> str:
    """The whole page as Markdown: an introduction, then a heading and a table for each group."""
    title_of = {variable(name): titles[locale] for name, titles in GROUPS}
    heads = HEADS[locale]
    lines = [INTRODUCTIONS[locale].rstrip()]
    for row in describe_settings(locale):
        if row.variable in title_of:
            lines += ["", f"## {title_of[row.variable]}", "", _line(*heads), _line(*["---"] * len(heads))]
        lines.append(_line(f"`{row.variable}`", row.default, row.unit, row.meaning))
    return "\n".join(lines) + "\n"


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
    sys.stdout.write(render_settings_page("es" if sys.argv[1:] == ["es"] else "en"))
