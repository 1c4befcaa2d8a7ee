"""Count the connected components of the sublevel sets of a loss landscape, at every level.

The public names stand in `__init__.pyi` and are loaded when first used: `import tda_landscape.topology` needs
no torch.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
