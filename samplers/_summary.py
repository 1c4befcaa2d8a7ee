"""Have the chains mixed? R-hat and effective sample sizes by arviz-stats, and whether the start is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from arviz_stats.base.array import array_stats
from numpy.typing import NDArray

from samplers._chains import Chains

COORDINATES = 64
RHAT, ESS_PER_CHAIN = 1.01, 50
"""Vehtari et al. (2021): R-hat below 1.01, and 50 effective draws for each half chain of at least four chains."""
ALARM = 1e-3
"""Chance of a false alarm in the two tests of the start, over all quantities together."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One quantity: the energy or a coordinate. None is n/a: it cannot be decided from these draws."""

    name: str
    rhat: float | None
    ess_bulk: float | None
    ess_tail: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """Diagnostics and what they mean.

    Attributes
    ----------
    diagnostics : tuple of Diagnostic
        The energy, then coordinates (64 evenly spaced ones where there are more).
    rhat, ess_bulk, ess_tail : float or None
        The worst of them; None is n/a: not decidable, which is never taken for good.
    warnings : tuple of str
        Sentences; none when nothing speaks against the chains.
    text : str
        One line of numbers.
    """

    diagnostics: tuple[Diagnostic, ...]
    rhat: float | None
    ess_bulk: float | None
    ess_tail: float | None
    warnings: tuple[str, ...]
    text: str

    @property
    def ok(self) -> bool:
        """Whether everything could be decided and nothing speaks against the chains."""
        return not self.warnings

    def __str__(self) -> str:
        return "\n".join((self.text, *self.warnings))


def summarize(chains: Chains) -> Summary:
    """Compute the diagnostics of chains and say in sentences what is wrong."""
    names, values, starts = _quantities(chains)
    judged = tuple(_diagnose(name, value) for name, value in zip(names, values, strict=True))
    rhat = _worst([d.rhat for d in judged], max)
    bulk, tail = _worst([d.ess_bulk for d in judged], min), _worst([d.ess_tail for d in judged], min)
    warnings = [*_mixing(judged, rhat, bulk, tail, len(chains.points)), *_memory(names, values, starts)]
    lost = int(chains.diverged.sum())
    if lost:
        warnings.append(f"{lost} of {len(chains.diverged)} chains diverged and are left out; take a smaller step.")
    shown = f"R-hat {_shown(rhat, '.3f')}, ESS bulk {_shown(bulk, '.0f')}, tail {_shown(tail, '.0f')}"
    rate = "" if chains.accept_rate is None else f", acceptance {float(chains.accept_rate.mean()):.3f}"
    dim = chains.points.shape[2]
    which = f"; worst of the energy and {len(names) - 1} of {dim} coordinates"
    return Summary(judged, rhat, bulk, tail, tuple(warnings), f"{chains}: {shown}{rate}{which}")


def _quantities(chains: Chains) -> tuple[list[str], list[NDArray[np.float64]], list[NDArray[np.float64] | None]]:
    """Names, values (chain, draw) and start values (chain,) of what is judged."""
    dim = chains.points.shape[2]
    which = np.unique(np.linspace(0, dim - 1, min(dim, COORDINATES)).round().astype(int)).tolist()
    columns = [chains.points[:, :, i].double().numpy() for i in which]
    starts = [chains.start[:, i].double().numpy() for i in which]
    return (
        ["energy", *(f"coordinate {i}" for i in which)],
        [chains.energies.double().numpy(), *columns],
        [None, *starts],
    )


def _diagnose(name: str, x: NDArray[np.float64]) -> Diagnostic:
    """R-hat needs two chains, everything needs four draws, and a value that never changes says nothing."""
    if x.shape[1] < 4 or (x == x[:, :1]).all(1).any():
        return Diagnostic(name, None, None, None)
    rhat = array_stats.rhat(x, chain_axis=0, draw_axis=1) if len(x) > 1 else None
    bulk = array_stats.ess(x, chain_axis=0, draw_axis=1, method="bulk")
    tail = array_stats.ess(x, chain_axis=0, draw_axis=1, method="tail", prob=(0.05, 0.95))
    return Diagnostic(name, *(_finite(value) for value in (rhat, bulk, tail)))


def _finite(value: float | None) -> float | None:
    """A number, or None where there is none."""
    return None if value is None or not np.isfinite(value) else float(value)


def _worst(values: list[float | None], pick: Callable[[list[float]], float]) -> float | None:
    """The worst number; None as soon as one is not decidable."""
    known = [value for value in values if value is not None]
    return pick(known) if len(known) == len(values) else None


def _mixing(
    judged: tuple[Diagnostic, ...], rhat: float | None, bulk: float | None, tail: float | None, chains: int
) -> list[str]:
    """Sentences on R-hat and effective sample sizes."""
    said = []
    still = [d.name for d in judged if d.ess_bulk is None]
    if still:
        said.append(f"{_few(still)}: too few draws or a chain that does not move, so mixing cannot be decided (n/a).")
    if chains < 2:
        said.append("One chain alone cannot show that it has mixed (R-hat n/a); run several from different starts.")
    bad = [d.name for d in judged if d.rhat is not None and d.rhat > RHAT]
    if bad:
        worst = max(d.rhat for d in judged if d.rhat is not None)
        said.append(f"The chains have not mixed: R-hat is {worst:.3f}, above {RHAT}, in {_few(bad)}; run longer.")
    small = min((ess for ess in (bulk, tail) if ess is not None), default=None)
    if small is not None and small < ESS_PER_CHAIN * max(chains, 4):
        said.append(f"Only {small:.0f} effective draws; take {ESS_PER_CHAIN} for each chain before quoting averages.")
    return said


def _memory(names: list[str], values: list[NDArray[np.float64]], starts: list[NDArray[np.float64] | None]) -> list[str]:
    """Sentences on the start: whether late averages still depend on it, whether all chains still drift.

    Both tests compare independent chains, so they hold whatever the correlation along a chain.
    """
    chains, draws = values[0].shape
    if chains < 8 or draws < 4:
        return []
    bound = NormalDist().inv_cdf(1 - ALARM / (4 * len(names)))
    late = [value[:, draws // 2 :].mean(1) for value in values]
    drifts = [end - value[:, : draws // 2].mean(1) for value, end in zip(values, late, strict=True)]
    kept = [
        name
        for name, end, start in zip(names, late, starts, strict=True)
        if start is not None and _correlation(start, end) * (chains - 3) ** 0.5 > bound
    ]
    moving = [name for name, drift in zip(names, drifts, strict=True) if _score(drift) > bound * (1 + 2 / chains)]
    said = []
    if kept:
        said.append(f"The start is not forgotten: where a chain began still decides its late average of {_few(kept)}.")
    if moving:
        said.append(f"The chains still drift: first and second half differ in {_few(moving)}; lengthen the warm-up.")
    return said


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Fisher's z of the correlation; 0 where one of them does not vary."""
    spread = a.std() * b.std()
    if not spread > 0:
        return 0.0
    r = float(((a - a.mean()) * (b - b.mean())).mean() / spread)
    return abs(float(np.arctanh(np.clip(r, -0.999999, 0.999999))))


def _score(x: NDArray[np.float64]) -> float:
    """Mean of independent numbers over its standard error; 0 where they do not vary."""
    spread = x.std(ddof=1)
    return abs(float(x.mean())) / (spread / len(x) ** 0.5) if spread > 0 else 0.0


def _few(names: list[str]) -> str:
    """The first names of a list."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _shown(value: float | None, form: str) -> str:
    return "n/a" if value is None else format(value, form)
