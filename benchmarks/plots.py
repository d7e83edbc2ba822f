"""Plots as SVG, by hand: lines over logarithmic or plain axes. No package for that.

Process: a command.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 230, 40, 50
COLOURS = ("#b45309", "#1d4ed8", "#047857", "#7c3aed", "#be123c", "#334155")

Points = Sequence[tuple[float, float]]


def line_plot(
    lines: Mapping[str, Points], *, title: str, x: str, y: str, is_log_x: bool = False, is_log_y: bool = False
) -> str:
    """One SVG with a line for each name. Values on a logarithmic axis must be above 0."""
    xs = [point[0] for points in lines.values() for point in points]
    ys = [point[1] for points in lines.values() for point in points]
    if not xs:
        return ""
    across = _Axis(xs, LEFT, WIDTH - RIGHT, is_log=is_log_x)
    up = _Axis(ys, HEIGHT - BOTTOM, TOP, is_log=is_log_y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="15" font-weight="600">{escape(title)}</text>',
    ]
    for value in across.ticks():
        at = across.place(value)
        parts.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_short(value)}</text>')
    for value in up.ticks():
        at = up.place(value)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{_short(value)}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x)}</text>')
    parts.append(
        f'<text transform="translate(16 {HEIGHT / 2:.0f}) rotate(-90)" text-anchor="middle">{escape(y)}</text>'
    )
    for position, (name, points) in enumerate(lines.items()):
        colour = COLOURS[position % len(COLOURS)]
        placed = [(across.place(px), up.place(py)) for px, py in sorted(points)]
        path = "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in placed)
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>' for px, py in placed]
        line_y = TOP + 8 + position * 20
        parts.append(f'<path d="M{WIDTH - RIGHT + 12} {line_y}h18" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 36}" y="{line_y + 4}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Axis:
    """From values to places."""

    def __init__(self, values: Sequence[float], begin: float, end: float, *, is_log: bool) -> None:
        self._begin, self._end, self._is_log = begin, end, is_log
        least, most = min(values), max(values)
        if is_log:
            self._low, self._high = math.log10(least), math.log10(most)
        else:
            self._low, self._high = 0.0, most or 1.0
        if self._high <= self._low:
            self._low, self._high = self._low - 0.5, self._high + 0.5
        margin = (self._high - self._low) * 0.04
        self._high += margin
        self._low -= margin if is_log else 0.0

    def place(self, value: float) -> float:
        at = math.log10(value) if self._is_log else value
        return self._begin + (at - self._low) / (self._high - self._low) * (self._end - self._begin)

    def ticks(self) -> list[float]:
        if self._is_log:
            decades = range(math.floor(self._low), math.ceil(self._high) + 1)
            found = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
            found = [value for value in found if self._low <= math.log10(value) <= self._high]
            return found if len(found) <= 9 else [value for value in found if f"{value:e}"[0] == "1"]
        step = 10.0 ** math.floor(math.log10(self._high))
        while self._high / step < 4:
            step /= 2
        return [step * n for n in range(int(self._high / step) + 1)]


def _short(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:g}"
