"""The pictures of a survey, as bytes: no window, no pyplot state."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tda_landscape import plot
from tda_landscape._survey import Survey
from tda_landscape.cli._folder import Folder
from tda_landscape.topology import NuCurve

LONGEST_LABEL = 40


def draw_network(folder: Folder, label: str, stem: str, survey: Survey) -> dict[str, list[str]]:
    """Draw and write what there is to see of one network; return the paths by picture."""
    tree, graph, title = survey.tree, survey.graph, plain(label)
    wide = float(np.clip(0.16 * len(tree.births), 6.4, 16))
    pictures: dict[str, list[str]] = {
        "disconnectivity": _write(
            folder, f"{stem}-disconnectivity", (wide, 4.8), lambda ax: plot.disconnectivity(tree, ax=ax), title
        ),
        "persistence": _write(
            folder,
            f"{stem}-persistence",
            (4.8, 4.8),
            lambda ax: plot.persistence_diagram(survey.diagrams, ax=ax),
            title,
        ),
    }
    path = graph.paths[tree.edge[-1]] if graph is not None and len(tree.edge) else None
    if path is not None:
        pictures["highest-path"] = _write(
            folder, f"{stem}-highest-path", (6.4, 4.0), lambda ax: plot.path_profile(path, ax=ax), title
        )
    return pictures


def draw_curves(folder: Folder, curves: Mapping[str, NuCurve]) -> list[str]:
    """Draw N_u of all networks into one picture."""
    named: dict[str, NuCurve] = {}
    for label, curve in curves.items():
        short = plain(label)
        named[f"{short} ({len(named) + 1})" if short in named else short] = curve
    return _write(folder, "nu-curves", (6.4, 4.2), lambda ax: plot.nu_curves(named, ax=ax), "")


def plain(label: str) -> str:
    """A label that matplotlib shows as it stands: short, no formula, not hidden by a leading underscore."""
    short = label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
    return ("\N{HAIR SPACE}" if short.startswith("_") else "") + short.replace("$", r"\$")


def _write(
    folder: Folder, name: str, size: tuple[float, float], draw: Callable[[Axes], object], title: str
) -> list[str]:
    """Draw one picture and write it in every format; return the paths."""
    written = []
    text = matplotlib.rc_context({"pdf.fonttype": 42, "svg.fonttype": "none"})  # stays text, not outlines
    with text, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # the file name has the whole label
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.subplots())
        if title:
            figure.suptitle(title, fontsize=9)
        for form in folder.formats:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=form, dpi=folder.dpi)
            written.append(folder.write(f"{name}.{form}", buffer.getvalue()))
    return written
