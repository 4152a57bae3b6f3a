"""Figures beside their references."""

from __future__ import annotations

WIDTHS = (58, 16, 16, 9, 22)
MISSED = []


def show(title, rows):
    """Print rows of (what, figure, reference, unit, target, whether it is met); the ratio is figure to reference."""
    print(f"\n{title}")
    line = ("", "figure", "reference", "ratio", "target")
    print(
        "".join(
            f"{text:<{w}}" if n == 0 else f"{text:>{w}}" for n, (text, w) in enumerate(zip(line, WIDTHS, strict=True))
        )
    )
    for what, figure, reference, unit, target, met in rows:
        ratio = f"{figure / reference:.2f}" if reference else ""
        fields = (what, text(figure, unit), text(reference, unit), ratio, f"{target}{'' if met else '  MISSED'}")
        print(
            "".join(f"{t:<{w}}" if n == 0 else f"{t:>{w}}" for n, (t, w) in enumerate(zip(fields, WIDTHS, strict=True)))
        )
        if not met:
            MISSED.append(f"{title}: {what}")


def text(value, unit):
    """A figure with its unit."""
    if value is None:
        return ""
    return f"{value:,.1f} {unit}" if abs(value) < 1000 else f"{value:,.0f} {unit}"
