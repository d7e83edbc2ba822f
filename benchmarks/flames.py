"""A flame graph of sampled stacks as one still picture: each frame as wide as its share of the samples.

Process: a command.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape

WIDTH, ROW, TEXT_PX = 1200, 17, 6.6
LEAST_SHARE = 0.004
"""Narrower frames are left out: nobody could read them."""
OURS, SANIC, DRIVER, OTHER = "#b45309", "#0e7490", "#4d7c0f", "#64748b"


@dataclass(slots=True)
class Frame:
    """A function in its place in the stack, with all samples that were in it or in what it called."""

    name: str
    count: int = 0
    callees: dict[str, "Frame"] = field(default_factory=dict)


def read_stacks(lines: Iterable[str], *, below: str) -> Frame:
    """Stacks as py-spy writes them (``a;b;c COUNT``), counted below the function ``below``; other stacks are whole.

    A function is one frame, whatever line of it was running.
    """
    root = Frame("all")
    for line in lines:
        stack, _, count = line.rstrip().rpartition(" ")
        names = [_function(frame) for frame in stack.split(";")]
        start = next((n + 1 for n, name in enumerate(names) if name.startswith(below)), 0)
        frame, samples = root, int(count)
        frame.count += samples
        for name in names[start:]:
            frame = frame.callees.setdefault(name, Frame(name))
            frame.count += samples
    return root


def shares(root: Frame) -> dict[str, tuple[float, float]]:
    """For each function its share of the samples: by itself, and with all that it called (recursion counts once)."""
    own: dict[str, int] = {}
    whole: dict[str, int] = {}

    def walk(frame: Frame, above: frozenset[str]) -> None:
        inside = frame.count - sum(callee.count for callee in frame.callees.values())
        own[frame.name] = own.get(frame.name, 0) + inside
        if frame.name not in above:
            whole[frame.name] = whole.get(frame.name, 0) + frame.count
        for callee in frame.callees.values():
            walk(callee, above | {frame.name})

    for frame in root.callees.values():
        walk(frame, frozenset())
    total = max(1, root.count)
    return {name: (own[name] / total, whole[name] / total) for name in whole}


def flame_graph(root: Frame, *, title: str) -> str:
    """One SVG, callers on top. Pointing at a frame tells its name and share."""
    parts: list[str] = []
    depth = _draw(root, 0.0, 0, root.count, parts)
    height = (depth + 1) * ROW + 40
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" '
        f'font-size="11" role="img" aria-label="{escape(title)}">'
    )
    caption = f'<text x="4" y="18" font-size="14" font-family="sans-serif" font-weight="600">{escape(title)}</text>'
    legend = "".join(
        f'<rect x="{WIDTH - 420 + 105 * n}" y="8" width="11" height="11" fill="{colour}"/>'
        f'<text x="{WIDTH - 404 + 105 * n}" y="18">{name}</text>'
        for n, (name, colour) in enumerate((("Panal", OURS), ("Sanic", SANIC), ("driver", DRIVER), ("other", OTHER)))
    )
    ground = f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    return "\n".join([head, ground, caption, legend, *parts, "</svg>"]) + "\n"


def _draw(frame: Frame, left: float, depth: int, total: int, parts: list[str]) -> int:
    """Draw what a frame called; answers how deep it went."""
    deepest = depth
    for callee in sorted(frame.callees.values(), key=lambda one: -one.count):
        share = callee.count / max(1, total)
        if share < LEAST_SHARE:
            continue
        width, top = share * WIDTH, 30 + depth * ROW
        longest = int(width / TEXT_PX) - 1
        name = callee.name if len(callee.name) <= longest else callee.name.partition(" ")[0][:longest]
        parts.append(
            f'<g><title>{escape(callee.name)}: {share:.1%}</title><rect x="{left:.1f}" y="{top}" width="{width:.1f}" '
            f'height="{ROW - 1}" fill="{_colour(callee.name)}" fill-opacity="0.85"/>'
            + (f'<text x="{left + 3:.1f}" y="{top + 12}" fill="#fff">{escape(name)}</text>' if longest > 3 else "")
            + "</g>"
        )
        deepest = max(deepest, _draw(callee, left, depth + 1, total, parts))
        left += width
    return deepest if deepest > depth else depth


def _function(frame: str) -> str:
    """``name (path/file.py:12)`` without the line."""
    name, _, place = frame.partition(" (")
    path = place.rpartition(":")[0] or place.rstrip(")")
    return f"{name} ({path})" if path else name


def _colour(name: str) -> str:
    if any(f"({package}/" in name for package in ("services", "blueprints", "config")) or "(server.py" in name:
        return OURS
    if "(sanic" in name:
        return SANIC
    return DRIVER if any(word in name for word in ("motor/", "pymongo/", "bson/", "concurrent/")) else OTHER
