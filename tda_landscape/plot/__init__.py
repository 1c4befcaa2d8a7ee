"""Pictures of landscapes: each function draws into one matplotlib axes and returns it; none calls show.

`tda_landscape.plot.interactive` holds counterparts for the browser (extra `interactive`: plotly).
"""

from tda_landscape._errors import InputError

try:
    import matplotlib as _matplotlib  # noqa: F401
except ModuleNotFoundError:
    raise InputError("plots need matplotlib: pip install 'tda-landscape[plot]'") from None

from tda_landscape.plot._barcode import barcode
from tda_landscape.plot._disconnectivity import disconnectivity
from tda_landscape.plot._geodesic_curve import geodesic_curve
from tda_landscape.plot._level_heatmap import level_heatmap
from tda_landscape.plot._nu_curves import nu_curves
from tda_landscape.plot._path_profile import path_profile
from tda_landscape.plot._persistence_diagram import persistence_diagram

__all__ = [
    "barcode",
    "disconnectivity",
    "geodesic_curve",
    "level_heatmap",
    "nu_curves",
    "path_profile",
    "persistence_diagram",
]
