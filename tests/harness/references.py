"""URLs of ours that a file names: in its strings when it is Python, in its text when it is documentation or a script.

What is not known before it runs (an id, a query) is `*` in the path: it stands for anything within one segment.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_CALLS = {name.lower(): name for name in METHODS} | {"del": "DELETE"}

_UNKNOWN = "\0"
_PLACEHOLDER = re.compile(
    r"""\$\{(?:[^{}]|\{[^{}]*\})*\}   # a script's
      | \{[^{}\s]*\}                  # {id}
      | <[a-z_]\w*(?::\w+)?>          # <id>, <id:str>
      | \$[A-Z_]+\b | …""",
    re.VERBOSE,
)
_URL = re.compile(
    r"""(?:(?<![\w./*-])|(?<=:\d{4})|(?<=example\.com))
        (/(?:v\d+(?:\.\d+)?|_sandbox|console|webhooks|docs|livez|readyz|metrics|openapi\.json)(?![\w.-])
        [^\s"'`()\[\]|,;\\?\#&>]*)""",
    re.VERBOSE,
)
_METHOD_BEFORE = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE)['\"`,\s]+(?:https?://[^/\s]*|\0)?$")
_CALL_BEFORE = re.compile(r"\b(get|post|put|patch|del)\(\s*['\"`]$")
_CURL = re.compile(r"\bcurl\b.*?-X\s*(GET|POST|PUT|PATCH|DELETE)\b")
_SCRIPT_CONSTANT = re.compile(r"^const (\w+) = '(/[^']*)';", re.MULTILINE)


@dataclass(frozen=True)
class Reference:
    """`method` is empty where the file does not say it."""

    line: int
    method: str
    path: str


def references_of(name: str, text: str) -> list[Reference]:
    """By the ending of the file's name."""
    return list(_of_python(text) if Path(name).suffix == ".py" else _of_text(text))


def _of_text(text: str) -> Iterator[Reference]:
    constants = dict(_SCRIPT_CONSTANT.findall(text))
    for number, line in enumerate(text.splitlines(), start=1):
        curl = _CURL.search(line)
        for name, path in constants.items():
            line = line.replace("${" + name + "}", path)
            line = re.sub(rf"\b(get|post|put|patch|del)\({name}\b", rf"\1('{path}'", line)
        for method, path in _urls(line):
            yield Reference(number, method or (curl[1] if curl else ""), path)


def _urls(text: str) -> Iterator[tuple[str, str]]:
    text = _PLACEHOLDER.sub(_UNKNOWN, text)
    for found in _URL.finditer(text):
        before = text[: found.start()]
        method = ""
        if said := _METHOD_BEFORE.search(before):
            method = said[1]
        elif called := _CALL_BEFORE.search(before):
            method = _CALLS[called[1]]
        yield method, found[1].rstrip(".:!").replace(_UNKNOWN, "*")


def _of_python(text: str) -> Iterator[Reference]:
    tree = ast.parse(text)
    constants = dict(_constants(tree))
    methods: dict[ast.AST, str] = {}
    inside: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            methods.update(_methods_of_call(node))
        if isinstance(node, ast.JoinedStr):
            inside.update(child for child in ast.walk(node) if child is not node)
        if node not in inside and (template := _template(node, constants)):
            for method, path in _urls(template):
                yield Reference(getattr(node, "lineno", 0), method or methods.get(node, ""), path)


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value.value


def _methods_of_call(call: ast.Call) -> Iterator[tuple[ast.AST, str]]:
    """`client.post(url)`, `request("POST", url)`."""
    said = [one.value for one in call.args if isinstance(one, ast.Constant) and one.value in METHODS]
    attribute = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    for position, argument in enumerate(call.args):
        if said:
            yield argument, str(said[0])
        elif position == 0 and attribute in _CALLS:
            yield argument, _CALLS[attribute]


def _template(node: ast.AST, constants: Mapping[str, str]) -> str:
    """A string with `\\0` for each part that is only known when it runs."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bytes):
            return node.value.decode("latin-1")
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_part(part, constants) for part in node.values)
    return ""


def _part(part: ast.expr, constants: Mapping[str, str]) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name):
        return constants.get(part.value.id, _UNKNOWN)
    return _UNKNOWN
