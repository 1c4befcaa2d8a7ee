"""The question of `tda-landscape certify`, and its answer in a sentence."""

from __future__ import annotations

from pathlib import Path

from tda_landscape._errors import described, shown
from tda_landscape.certificates import certify, check_certifiable
from tda_landscape.cli._checkpoints import read_weights
from tda_landscape.cli._errors import ConfigError
from tda_landscape.cli._factories import call, find
from tda_landscape.energy import Energy
from tda_landscape.paths import Ladder, find_path


def answer(first: Path, second: Path, model: str, level: float, budget: float, seed: int) -> tuple[bool, str]:
    """Search a path below the level and certify it; False means unresolved, never disconnected."""
    energy = call(find(model, "--model", Path.cwd()), {}, "--model", foreign=True)
    if not isinstance(energy, Energy):
        raise ConfigError(f"--model {model} must return an Energy, got {described(energy)}; use Energy.from_model")
    check_certifiable(energy)
    network = energy.network
    assert network is not None  # check_certifiable has seen to it
    a, b = (read_weights(path, network) for path in (first, second))
    path = find_path(energy, a, b, search=Ladder(budget=budget), level=level, seed=seed)
    names = f"{shown(first.name)} and {shown(second.name)}"
    if not path.below(level):
        return False, (
            f"unresolved: the lowest path found between {names} rises to {path.height:.9g}, above {level:.9g} "
            f"({path.reason.value})"
        )
    certificate = certify(energy, path, level=level)
    if certificate.below(level):
        return True, (
            f"yes: {names} are joined below {level:.9g}, proved by a path of {len(path.points)} points with maximum "
            f"at most {certificate.upper:.9g} ({certificate.evaluations} evaluations)"
        )
    return False, (
        f"unresolved: the path between {names} was measured as {path.height:.9g}, but {certificate.reason.value}, "
        f"with maximum between {certificate.lower:.9g} and {certificate.upper:.9g}"
    )
