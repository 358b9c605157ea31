"""Draws what calls cost, for pages that are light or dark: no background, and colours between.

The same figures give the same bytes, with the same matplotlib. Letters are drawn as shapes, so
that they look the same everywhere. The figures themselves are in its description.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

# Not needed to work on the package, so the checks of types may not find it.
# mypy: disable-error-code="import-not-found"

Series = dict[str, dict[str, float]]
"""By variant, what a call costs at each point."""

# Each stands out against white and against black by 3 to 1 or more, and from the others also for
# those who see few colours: after Okabe and Ito, https://jfly.uni-koeln.de/color/.
STYLES = {
    "httpx": ("#d55e00", "-"),
    "httpx, all kept alive": ("#d55e00", ":"),
    "openai-python": ("#c268a0", "-"),
    "generated client alone": ("#8a7a5c", "-"),
    "memstack": ("#0a7fc4", "-"),
    "memstack, pyreqwest": ("#0a7fc4", "--"),
    "aiohttp": ("#009e73", "-"),
    "pyreqwest": ("#009e73", "--"),
    "raw socket": ("#80868c", ":"),
}
INK = "#7b8188"


def draw(panels: Mapping[str, Series], file: Path) -> None:
    """Write an SVG with a panel for each of *panels*, by the name of its x axis."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot, ticker

    plain = {
        "svg.fonttype": "path",
        "svg.hashsalt": "memstack",
        "font.family": "DejaVu Sans",  # comes with matplotlib
        "font.size": 9,
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
        "axes.edgecolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with pyplot.style.context(["default", plain]):  # whatever the user has set
        figure, axes = pyplot.subplots(1, len(panels), figsize=(10, 4.6), layout="constrained")
        for axis, (title, series) in zip(axes, panels.items(), strict=True):
            for name, points in series.items():
                colour, line = STYLES[name]
                axis.plot(
                    [int(x) for x in points],
                    list(points.values()),
                    line,
                    color=colour,
                    linewidth=2.4 if name.startswith("memstack") else 1.4,
                    label=name,
                )
            axis.set(xscale="log", yscale="log", xlabel=title)
            ticks = [int(x) for x in next(iter(series.values()))]
            axis.set_xticks(ticks, [f"{x:,}" for x in ticks])
            axis.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
            axis.yaxis.set_major_formatter("{x:g}")
            for one in (axis.xaxis, axis.yaxis):
                one.set_minor_locator(ticker.NullLocator())
            axis.grid(color=INK, alpha=0.25, linewidth=0.6)
        axes[0].set_ylabel("CPU of a call; bare httpx at the left = 1")
        lines = {line.get_label(): line for axis in axes for line in axis.get_lines()}
        names = [name for name in STYLES if name in lines]
        shown = [lines[name] for name in names]
        figure.legend(shown, names, loc="outside lower center", ncols=5, frameon=False)
        told = {"Date": None, "Description": json.dumps(panels)}
        figure.savefig(file, format="svg", transparent=True, metadata=told)
        pyplot.close(figure)
