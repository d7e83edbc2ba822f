"""``/docs/errors``: every code with its meaning and what to do, as one page without a script.

Process: worker.
"""

from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Final

from blueprints.error_catalogue import CATALOGUE, ErrorEntry
from services.graph import RANGES, RULES, CodeRule, ErrorClass

_GROUPS: Final = {
    "The request": frozenset({400, 408, 413, 415, 416, 417, 422, 426, 431}),
    "Who calls": frozenset({401, 403}),
    "What is not there": frozenset({404, 405}),
    "In conflict": frozenset({409}),
    "Not now": frozenset({429, 503, 507}),
    "WhatsApp": frozenset({502}),
    "Ours": frozenset({500}),
}
"""HTTP statuses by the question that a reader has; a test finds a status that has no place."""

_WORDS: Final = {
    ErrorClass.RETRY: "tried again by itself",
    ErrorClass.HOLD: "held, then tried again",
    ErrorClass.AUTH: "waits for the operator",
    ErrorClass.FAIL: "failed",
}

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Panal: errors</title>
<link rel="icon" href="/docs/assets/panal.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/assets/errors.css">
</head>
<body>
<h1>Errors</h1>
<p class="lead">Every answer that is not a success is a problem document (RFC 9457). Its <code>code</code> is one of
these, and never changes its meaning. <a href="/docs">API reference</a></p>
{answers}
<h2>In messages and events</h2>
<p class="lead">A message that could not be sent at once says why: the <code>reason</code> in its timeline and its
events, or <code>held_reason</code>. <code>platform_</code> and a number is WhatsApp's own code, below.</p>
{messages}
<h2>In the log alone</h2>
{log}
<h2 id="whatsapp">WhatsApp's own codes</h2>
<p class="lead">In the <code>error</code> of a message that WhatsApp refused. The third column says what Panal does
then.</p>
<div class="wide"><table>
<thead><tr><th>code</th><th>title</th><th>the message is</th><th>what to do</th></tr></thead>
<tbody>
{whatsapp}
</tbody></table></div>
</body>
</html>
"""


def error_page() -> str:
    """The whole page as HTML."""
    answers = [entry for entry in CATALOGUE.values() if entry.where == "answer"]
    sections = []
    for title, statuses in _GROUPS.items():
        entries = [entry for entry in answers if entry.status in statuses]
        if entries:
            sections.append(f"<h2>{title}</h2>\n{_entries(entries)}")
    return _PAGE.format(
        answers="\n".join(sections),
        messages=_entries(entry for entry in CATALOGUE.values() if entry.where == "message"),
        log=_entries(entry for entry in CATALOGUE.values() if entry.where == "log"),
        whatsapp="\n".join(_rules()),
    )


def _entries(entries: Iterable[ErrorEntry]) -> str:
    return "\n".join(_entry(entry) for entry in sorted(entries, key=lambda entry: (entry.status, entry.code)))


def _entry(entry: ErrorEntry) -> str:
    tags = [str(entry.status)] if entry.where == "answer" else []
    if entry.may_retry:
        tags.append("the same request may work later" if entry.where == "answer" else "tried again by itself")
    shown = f'<span class="tag">{escape(" · ".join(tags))}</span>' if tags else ""
    return (
        f'<section class="entry" id="{entry.code}">'
        f'<h3><a href="#{entry.code}"><code>{entry.code}</code></a>{shown}</h3>'
        f'<p>{_text(entry.meaning)}</p><p class="do">{_text(entry.next_step)}</p></section>'
    )


def _rules() -> Iterable[str]:
    rows = [(str(rule.code), rule) for rule in RULES]
    rows += [(f"{codes.start}–{codes.stop - 1}", rule) for codes, rule in RANGES]
    rows.sort(key=lambda row: (row[1].code or 0, row[1].subcode or 0))
    for _, group in groupby(rows, key=lambda row: row[0]):
        for position, (shown, rule) in enumerate(group):
            anchor = f' id="whatsapp-{rule.code}"' if position == 0 else ""
            yield _rule(shown, rule, anchor)


def _rule(shown: str, rule: CodeRule, anchor: str) -> str:
    code = shown if rule.subcode is None else f"{shown} / {rule.subcode}"
    title = rule.title if "{" not in rule.title else "Object does not exist, or may not be seen"
    return (
        f"<tr{anchor}><td><code>{escape(code)}</code></td><td>{escape(title)}</td>"
        f"<td>{_WORDS[rule.klass]}</td><td>{escape(rule.next_step)}</td></tr>"
    )


def _text(text: str) -> str:
    """Escaped, with `code` between backticks."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if position % 2 else part for position, part in enumerate(parts))
