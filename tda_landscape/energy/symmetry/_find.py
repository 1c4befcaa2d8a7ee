"""Find the symmetry of an energy, verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tda_landscape._errors import InputError, described
from tda_landscape.energy._energy import Energy
from tda_landscape.energy._network import Network
from tda_landscape.energy._random import as_generator
from tda_landscape.energy.symmetry._frames import MOST
from tda_landscape.energy.symmetry._network import NetworkSymmetry
from tda_landscape.energy.symmetry._read import read_structure
from tda_landscape.energy.symmetry._symmetry import Symmetry
from tda_landscape.energy.symmetry._units import Frame, Structure
from tda_landscape.energy.symmetry._verify import TOLERANCE, excess, sample_points, verify

METHODS = ("order", "degree", "describe", "scramble", "invariants", "align", "zero_modes")
POINTS = 4


def find_symmetry(energy: Energy, choice: str | Symmetry | None = "auto") -> Symmetry | None:
    """Return the verified symmetry of an energy, or None where none is known.

    Parameters
    ----------
    energy : Energy
    choice : "auto", None or Symmetry
        "auto": the energy's own `symmetry` where it has one, else what the structure of its network shows, each
        kind of element (permutations, signs, scales; layer by layer) kept only if it leaves the energy, with its
        penalties, as it is. None: no symmetry. A `Symmetry` of your own is verified before use.

    Returns
    -------
    Symmetry or None
        None means that the group is unknown, not that it is trivial.

    Raises
    ------
    InputError
        A network that cannot be read, or a symmetry under which the energy changes.

    Examples
    --------
    Weight decay forbids to rescale the units of a ReLU network; the permutations stay.

    >>> import torch, tda_landscape as tl
    >>> from tda_landscape.energy.symmetry import find_symmetry
    >>> data = tl.zoo.datasets.load("iris")
    >>> model = tl.zoo.networks.mlp([4, 3, 3], activation="relu")
    >>> loss = torch.nn.functional.cross_entropy
    >>> find_symmetry(tl.Energy.from_model(model, loss, data)).describe()
    "permutations and scales of 3 units of layer '0'"
    >>> find_symmetry(tl.Energy.from_model(model, loss, data, weight_decay=1e-3)).describe()
    "permutations of 3 units of layer '0'"
    >>> find_symmetry(tl.zoo.mueller_brown()) is None
    True
    """
    if choice is None:
        return None
    if not isinstance(choice, str):
        missing = [name for name in METHODS if not hasattr(choice, name)]
        if missing:
            raise InputError(f"{described(choice)} is no Symmetry: it has no {missing[0]!r}")
        found: Symmetry | None = choice
    elif choice != "auto":
        raise InputError(f'symmetry must be "auto", None or a Symmetry, got {choice!r}')
    elif energy.symmetry is not None:
        found = energy.symmetry
    else:
        found = None if energy.network is None else _of_network(energy, energy.network)
    if found is not None:
        verify(energy, found)
    return found


def _of_network(energy: Energy, network: Network) -> NetworkSymmetry:
    """What the layers promise, less what the energy does not keep."""
    structure, generator = read_structure(network), as_generator(0)
    points = sample_points(energy, POINTS, generator)
    energies = energy(points)

    def holds(part: Structure) -> bool:
        images, _ = NetworkSymmetry(part, network).scramble(points, generator)
        return excess(energies, energy(images)) <= TOLERANCE

    frames = [frame for chain in structure.chains() for frame in _kept(chain, structure, holds)]
    structure = structure.framed(tuple(frames))
    kept = structure.keep([part for part in structure.parts() if holds(part)])
    return NetworkSymmetry(replace(kept, frames=structure.frames), network)


def _kept(chain: tuple[Frame, ...], structure: Structure, holds: Callable[[Structure], bool]) -> tuple[Frame, ...]:
    """The frames of a linear chain as far as they hold for all of it: in GL(n), else in O(n), else none."""
    if sum(frame.size**2 for frame in chain) > MOST:
        return ()
    for general in (True, False):
        frames = tuple(replace(frame, general=general) for frame in chain)
        if holds(replace(structure, units=(), frames=frames)):
            return frames
    return ()
