"""One figure as an SVG element: the house style, and nothing of the day or the machine in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO, StringIO
from typing import TYPE_CHECKING
from warnings import catch_warnings, filterwarnings

from kdtab.errors.extras import ExtraMissing
from kdtab.results import Checked, check

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURE_DPI = 100
INK, LINE, GRID = "#3d4451", "#8a919e", "#e4e7ec"


@dataclass(frozen=True)
class Drawing:
    """One figure.

    Attributes:
        name: A short word, the prefix of every id within.
        title: What it shows.
        caption: How to read it; may hold a user's text, not yet escaped.
        svg: An `<svg>` element without references to anything outside of it.
        wide: Whether it takes the width of the page.

    Example:
        >>> Drawing("loss", "Loss", "Lower is better.", "<svg></svg>", wide=True).name
        'loss'
    """

    name: str
    title: str
    caption: str
    svg: str
    wide: bool = False


def check_plotting() -> Checked[None]:
    """Whether figures can be drawn; worth knowing before a long run.

    Returns:
        Success, or `ExtraMissing` with the name of the extra that brings matplotlib.

    Example:
        >>> check_plotting()
        <Success: None>
    """
    found = find_spec("matplotlib") is not None
    return check(None if found else ExtraMissing(extra="report", package="matplotlib"))


def svg_text(name: str, size: Sequence[float], draw: Callable[[Axes], None]) -> str:
    """Draw on one pair of axes.

    The user's own style of matplotlib does not enter, nor does a window open.

    Args:
        name: A short word; ids within begin with it, so that figures can share a page.
        size: Width and height in inches.
        draw: Draws on the axes.

    Returns:
        An `<svg>` element; its text is text, in the font of the page.

    Example:
        >>> found = svg_text("line", (2, 1), lambda axes: axes.set_xlabel("epoch") and None)
        >>> found[:4], "epoch" in found, "http" in found
        ('<svg', True, False)
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(), catch_warnings():
        filterwarnings("ignore", message="Glyph .* missing from font")  # the page's font has it
        _use_house_style()
        figure = Figure(figsize=(size[0], size[1]), layout="constrained")
        draw(figure.add_subplot())
        written = StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(written.getvalue(), name)


def png_bytes(
    size: Sequence[float], grid: tuple[int, int], draw: Callable[[Sequence[Sequence[Axes]]], None]
) -> bytes:
    """Draw on a grid of axes that share their scales, as a picture that any program shows.

    Args:
        size: Width and height in inches.
        grid: Rows and columns.
        draw: Draws on the axes, row by row.

    Returns:
        A PNG file; the same drawing gives the same bytes on the same machine.

    Example:
        >>> png_bytes((2, 1), (1, 1), lambda axes: axes[0][0].set_xlabel("t") and None)[1:4]
        b'PNG'
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(), catch_warnings():
        filterwarnings("ignore", message="Glyph .* missing from font")
        _use_house_style()
        figure = Figure(figsize=(size[0], size[1]), layout="constrained", dpi=PICTURE_DPI)
        draw(figure.subplots(*grid, squeeze=False, sharex="col", sharey="row").tolist())
        written = BytesIO()
        figure.savefig(
            written, format="png", metadata={"Software": None}, pil_kwargs={"optimize": True}
        )
    return written.getvalue()


def _use_house_style() -> None:
    import matplotlib

    matplotlib.rcdefaults()
    matplotlib.rcParams.update(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": LINE,
            "axes.formatter.limits": (-4, 5),
            "axes.grid": True,
            "axes.labelcolor": INK,
            "axes.labelsize": 9,
            "axes.linewidth": 0.7,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "font.family": "sans-serif",
            "font.size": 9,
            "grid.color": GRID,
            "grid.linewidth": 0.7,
            "legend.fontsize": 8.5,
            "legend.frameon": False,
            "lines.linewidth": 1.5,
            "svg.fonttype": "none",
            "svg.hashsalt": "kdtab",
            "text.parse_math": False,
            "xtick.color": "#5b6472",
            "ytick.color": "#5b6472",
            "xtick.labelsize": 8.5,
            "ytick.labelsize": 8.5,
        }
    )


def _inline(document: str, name: str) -> str:
    """An SVG document as an element of a page: no preamble, no metadata, ids of its own."""
    element = document[document.index("<svg") :].strip()
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r' xmlns(:xlink)?="[^"]*"', "", element)
    element = re.sub(r'\bid="', f'id="{name}-', element)
    return re.sub(r'(url\(#|href="#)', rf"\1{name}-", element).replace("xlink:href", "href")
