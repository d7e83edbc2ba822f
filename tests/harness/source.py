"""What the source says about itself, for tests that must cover all there is of a kind."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KIND = re.compile(r"[a-z_]+\.[a-z_]+")


def command_kinds() -> set[str]:
    """Every kind of command: first argument of ``submit``, and keys of mappings whose values are handlers."""
    found: set[str] = set()
    for path in (ROOT / "services").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.AnnAssign | ast.Assign) and isinstance(node.value, ast.Constant)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            for value in _named_by(node):
                text = constants.get(value.id) if isinstance(value, ast.Name) else getattr(value, "value", None)
                if isinstance(text, str) and KIND.fullmatch(text):
                    found.add(text)
    return found


def _named_by(node: ast.AST) -> list[ast.expr | None]:
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "submit":
        return list(node.args[:1])
    if isinstance(node, ast.Dict) and any(isinstance(value, ast.Attribute | ast.Name) for value in node.values):
        return list(node.keys)
    return []
