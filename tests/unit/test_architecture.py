"""Imports run one way: server → blueprints → services → config. This test walks every file.

Inside services: whatsapp, supervisor, http_server → wiring → sending → nouns → {events, commands} → links →
{graph, store, telemetry} → config.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OUR_ROOTS = ("config", "services", "blueprints", "server", "tools")

NOUNS = frozenset(
    """
    campaigns cloud_api cloud_webhook console contacts conversations keys media messages numbers retention
    secret_rotation templates
    webhook_endpoints
    """.split()
)
LAYERS = (
    {"config"},
    {"egress", "graph", "store", "telemetry", "vault", "sandbox", "tools"},
    {"links"},
    {"events", "commands"},
    {"services"} | NOUNS,
    {"sending"},
    {"wiring"},
    {"whatsapp", "supervisor", "http_server"},
    {"blueprints"},
    {"server"},
)
"""Lowest first: a package imports from the layers below it. `services` is the facade of the whole folder, and empty."""
LAYER_OF = {package: layer for layer, packages in enumerate(LAYERS) for package in packages}

SHARED_MODULES = frozenset({"services.supervisor.child_process", "services.http_server.refusal"})
"""Modules of a layer that its neighbours may import: how a managed process ends; the bytes of a 503."""

DATABASE_DRIVERS = frozenset({"motor", "pymongo", "bson", "gridfs"})
CIPHERS = "cryptography"
MAY_USE_SANIC = frozenset({"supervisor", "http_server", "blueprints", "server"})


@dataclass(frozen=True)
class Import:
    """One import statement's target, absolute, and where it stands."""

    target: str
    line: int
    is_in_function: bool


def package_of(module: str) -> str | None:
    """`services.messages.accept` → messages; `config.settings` → config; None when it is not ours."""
    head, _, rest = module.partition(".")
    if head not in OUR_ROOTS:
        return None
    return (rest.partition(".")[0] or head) if head == "services" else head


def imports_of(module: str, source: str, *, is_package: bool) -> Iterator[Import]:
    """Every import of a file, also those under TYPE_CHECKING. `from a import b` counts as `a.b` where b is a module."""
    for node, is_in_function in _walk(ast.parse(source), is_in_function=False):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(name.name, node.lineno, is_in_function)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".") if is_package else module.split(".")[:-1]
                parts = parts[: len(parts) - node.level + 1]
                base = ".".join([*parts, *([base] if base else [])])
            for name in node.names:
                yield Import(_as_module(base, name.name), node.lineno, is_in_function)


def faults_of(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """What is wrong with a file's imports, one line each."""
    package = package_of(module)
    assert package is not None
    faults = []
    for found in imports_of(module, source, is_package=is_package):
        where = f"{module}:{found.line} imports {found.target}"
        top = found.target.partition(".")[0]
        if found.is_in_function:
            faults.append(f"{where} inside a function: a cycle is a design error")
        if top in DATABASE_DRIVERS and package != "store":
            faults.append(f"{where}: only services/store talks to the database driver")
        if top == CIPHERS and package != "vault":
            faults.append(f"{where}: only services/vault encrypts")
        if top in {"sanic", "sanic_ext", "sanic_testing"} and package not in MAY_USE_SANIC:
            faults.append(f"{where}: no Sanic here")
        target_package = package_of(found.target)
        if target_package is not None and (reason := _direction_fault(package, target_package, found.target)):
            faults.append(f"{where}: {reason}")
    return faults


def _direction_fault(package: str, target_package: str, target: str) -> str | None:
    if package == target_package:
        return None
    for name in (package, target_package):
        if name not in LAYER_OF:
            return f"`{name}` has no layer"
    if package == "sandbox" and target_package != "config":
        return "the sandbox stands alone"
    if target_package == "tools":
        return "tools look from outside: nobody may depend on them"
    if target_package == "sandbox" and package not in {"supervisor", "server"}:
        return "nobody may depend on the sandbox"
    if package in NOUNS and target_package in NOUNS:
        return None if target == f"services.{target_package}" else "a noun imports another noun's facade only"
    if LAYER_OF[target_package] < LAYER_OF[package] or target in SHARED_MODULES:
        return None
    return f"against the dependency direction: {package} → {target_package}"


def _as_module(base: str, name: str) -> str:
    """`from services import messages` means services.messages; `from services.messages import Inbox` the package."""
    path = ROOT.joinpath(*base.split("."), name)
    return f"{base}.{name}" if path.is_dir() or path.with_suffix(".py").is_file() else base


def _walk(node: ast.AST, *, is_in_function: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, is_in_function
        inside = is_in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _walk(child, is_in_function=inside)


def our_files() -> list[tuple[str, Path]]:
    files = [path for root in OUR_ROOTS for path in sorted((ROOT / root).rglob("*.py"))]
    if (ROOT / "server.py").is_file():
        files.append(ROOT / "server.py")
    return [(_module_name(path), path) for path in files if "vendor" not in path.parts]


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_import_runs_against_the_dependency_direction() -> None:
    faults = [
        fault
        for module, path in our_files()
        for fault in faults_of(module, path.read_text(encoding="utf-8"), is_package=path.name == "__init__.py")
    ]
    assert not faults, "\n" + "\n".join(faults)


def test_no_modules_import_each_other_in_a_circle() -> None:
    files = dict(our_files())
    edges = {
        module: {
            found.target
            for found in imports_of(module, path.read_text(encoding="utf-8"), is_package=path.name == "__init__.py")
            if found.target in files and found.target != module
        }
        for module, path in files.items()
    }
    circles = [" → ".join(circle) for circle in _circles(edges)]
    assert not circles, "\n" + "\n".join(circles)


def _circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """One example of each circle that a depth-first walk closes."""
    circles: list[list[str]] = []
    done: set[str] = set()

    def visit(module: str, trail: list[str]) -> None:
        if module in trail:
            circles.append([*trail[trail.index(module) :], module])
        elif module not in done:
            for target in sorted(edges.get(module, ())):
                visit(target, [*trail, module])
            done.add(module)

    for module in sorted(edges):
        visit(module, [])
    return circles


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("config.settings", "from services.messages import Message"),
        ("services.messages.accept", "from blueprints.messages import bp"),
        ("services.messages.accept", "import server"),
        ("services.messages.accept", "from services.wiring import build"),
        ("services.messages.accept", "from services.sending import Lanes"),
        ("services.telemetry.scoreboard", "from services.supervisor.control import main"),
        ("services.telemetry.scoreboard", "import sanic"),
        ("services.http_server.worker", "from services.supervisor.supervisor import supervise"),
        ("services.messages.accept", "from services.whatsapp import term"),
        ("services.messages.accept", "from services.conversations.repository import Conversations"),
        ("services.messages.accept", "from ..conversations.repository import Conversations"),
        ("services.graph.client", "from services.store import Store"),
        ("services.store.client", "from services.graph import GraphClient"),
        ("services.store.client", "from services.messages import Message"),
        ("services.graph.client", "from services.links import Link"),
        ("services.sandbox.app", "from services.graph import GraphClient"),
        ("services.links.cloud", "from services.sandbox import main"),
        ("services.messages.repository", "from motor.motor_asyncio import AsyncIOMotorClient"),
        ("services.messages.repository", "import bson"),
        ("blueprints.messages", "from pymongo.errors import DuplicateKeyError"),
        ("services.messages.accept", "from sanic import Request"),
        ("services.wiring", "import sanic.exceptions"),
        ("services.messages.accept", "def f():\n    import json"),
        ("services.messages.accept", "class A:\n    async def f(self):\n        from config import limits"),
        ("services.attic.box", "from config import limits\nfrom services.messages import Message"),
        ("services.supervisor.supervisor", "from services.whatsapp import term"),
        ("server", "from tools.verify import table"),
        ("services.vault.box", "from services.store import Database"),
        ("services.vault.box", "from services.webhook_endpoints import Endpoint"),
        ("services.store.database", "from services.vault import SecretBox"),
        ("services.webhook_endpoints.repository", "from cryptography.hazmat.primitives.ciphers.aead import AESGCM"),
        ("tools.verify.look", "from services.keys import Scope"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    assert faults_of(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("server", "from sanic import Sanic\nfrom blueprints import api\nfrom services.whatsapp import process"),
        (
            "blueprints.messages",
            "from sanic import Request\nfrom services.messages import Inbox\nfrom config import limits",
        ),
        ("services.wiring", "from services.messages import Inbox\nfrom services.store import Store"),
        (
            "services.whatsapp.process",
            "from services.wiring import build\nfrom services.supervisor.child_process import leave",
        ),
        (
            "services.messages.accept",
            "from services.conversations import Conversations\nfrom services.messages.records import M",
        ),
        ("services.messages.repository", "from services.store import Store"),
        ("services.links.cloud", "from services.graph import GraphClient"),
        ("services.store.client", "from motor.motor_asyncio import AsyncIOMotorClient\nimport pymongo"),
        ("services.vault.box", "from config.errors import Unavailable\nfrom cryptography.exceptions import InvalidTag"),
        ("services.webhook_endpoints.repository", "from services.vault import SecretBox"),
        ("services.supervisor.supervisor", "from sanic.worker.manager import WorkerManager"),
        ("services.sandbox.app", "from config.settings import Settings\nimport aiohttp"),
        ("services.messages", "from services.messages.accept import Inbox"),
    ],
)
def test_a_right_import_passes(module: str, source: str) -> None:
    assert faults_of(module, source, is_package=module == "services.messages") == []


def test_a_circle_is_found() -> None:
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == [["a", "b", "c", "a"]]
    assert _circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_every_module_says_its_purpose_and_which_processes_run_it() -> None:
    silent = [
        module
        for module, path in our_files()
        if "Process:" not in (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
        and path.name != "__init__.py"
    ]
    assert not silent, "no docstring with a `Process:` line: " + ", ".join(silent)


def test_no_module_has_outgrown_its_idea() -> None:
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in our_files()}
    too_long = {module: length for module, length in lengths.items() if length > 400}
    assert not too_long
