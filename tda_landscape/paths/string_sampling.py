"""Dynamic String Sampling as it was published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from tda_landscape._errors import InputError, expect_number, expect_whole
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Meter, Task, Watch, finite_or_inf
from tda_landscape.paths._adam import Adam
from tda_landscape.paths._levels import Levels
from tda_landscape.paths._loop import search_all
from tda_landscape.paths._path import Path, Stop
from tda_landscape.paths._profile import Outset, segment_values

Insertion = Literal["midpoint", "maximum"]


@dataclass(frozen=True, slots=True)
class StringSampling:
    """Join two points below a level by beads that descend below it, inserted where the string is still above.

    In each round every bead above the target goes down by Adam with a fixed rate, and then every segment of the
    string, in both halves of each that was bisected, gets a bead where it rises above the level. A bead that does
    not reach the target in `max_steps`, too many rounds or too many beads make a level fail; the published code
    goes on for ever. A level that is asked for is tried first; otherwise, and if that fails, a ladder of levels is
    descended, each begun at the string of the one before.

    Freeman and Bruna, Topology and geometry of half-rectified network optimization, ICLR 2017. Levels and factors
    are taken relative to the higher end, since factors of the energy itself can ask for less than its minimum.

    Parameters
    ----------
    budget : float
        Gradient equivalents a pair.
    tolerance : float
        Of the height, relative to the excess of the straight line over the higher end.
    ratio : float
        Where the next level stands between the highest one that failed (0) and the present height (1).
    slack : float
        How far above the level a string is still accepted, relative to the excess of the level over the higher end;
        the published code has .1 or .02. With a slack, a path need not lie below the level asked for.
    target : float
        Excess that beads are brought down to, over that of the level.
    insertion : {"midpoint", "maximum"}
        Where a bead is inserted.
    rate : float
        Of Adam, relative to the distance of the ends over sqrt(d).
    kick : float
        Random displacement of a new bead, relative to its segment; none in the published code, which never leaves
        a symmetric landscape.
    checks : int
        Values inside a segment that decide whether it is below the level.
    max_steps : int
        Most steps of a bead in a round.
    max_rounds : int
        Most rounds of a level.
    max_beads : int
        Most beads of a path.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> annulus = tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)
    >>> a, b = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0])
    >>> tl.find_path(annulus, a, b, search=StringSampling(), level=0.1).below(0.1)
    True
    """

    budget: float = 800.0
    tolerance: float = 1e-3
    ratio: float = 0.5
    slack: float = 0.0
    target: float = 0.95
    insertion: Insertion = "midpoint"
    rate: float = 0.02
    kick: float = 0.02
    checks: int = 19
    max_steps: int = 600
    max_rounds: int = 10
    max_beads: int = 80

    def __post_init__(self) -> None:
        expect_number("(0, 1)", ratio=self.ratio, target=self.target)
        expect_number("[0, inf)", slack=self.slack, kick=self.kick)
        expect_number("(0, inf]", budget=self.budget, tolerance=self.tolerance, rate=self.rate)
        expect_whole("[3, inf)", max_beads=self.max_beads)
        expect_whole("[1, inf)", checks=self.checks, max_steps=self.max_steps, max_rounds=self.max_rounds)
        if self.insertion not in get_args(Insertion):
            raise InputError(f"insertion must be 'midpoint' or 'maximum', got {self.insertion!r}")

    def find(
        self,
        energy: Energy,
        starts: Tensor,
        ends: Tensor,
        generators: Sequence[torch.Generator],
        *,
        level: float | None = None,
        watch: Watch | None = None,
    ) -> list[Path]:
        """Return a verified path for each pair of rows (p, d)."""
        tasks = [self._search(a, b, level, generator) for a, b, generator in zip(starts, ends, generators, strict=True)]
        return search_all(energy, tasks, watch, level)

    def _search(
        self, a: Tensor, b: Tensor, level: float | None, generator: torch.Generator
    ) -> Task[tuple[Tensor, Stop]]:
        """Search one pair."""
        meter = Meter()

        def attempt(level: float, line: Tensor, _: float, outset: Outset) -> Task[Tensor | None]:
            return self._connect(level, line, outset, generator, meter)

        return (yield from Levels(self.budget, self.tolerance, self.ratio, level).descend(a, b, attempt, meter))

    def _connect(
        self, level: float, line: Tensor, outset: Outset, generator: torch.Generator, meter: Meter
    ) -> Task[Tensor | None]:
        """Train beads and insert more until every segment is accepted; None where that fails."""
        excess = level - outset.floor
        target, accepted = outset.floor + self.target * excess, level + self.slack * excess
        fresh = torch.ones(len(line) - 2, dtype=torch.bool)  # beads above the target, or not known to be below
        changed = torch.ones(len(line) - 1, dtype=torch.bool)
        for _ in range(self.max_rounds + 1):
            line, moved = yield from self._train(line, fresh, target, outset, meter)
            if moved is None:
                return None
            changed[:-1] |= moved
            changed[1:] |= moved
            rows = torch.nonzero(changed).flatten()
            values = yield from segment_values(line[rows], line[rows + 1], self.checks, meter)
            high = values.amax(1) > accepted
            if not high.any():
                return line
            if len(line) + int(high.sum()) > self.max_beads or meter.spent >= self.budget:
                return None
            where = (values[high].argmax(1) + 1) / (self.checks + 1)
            line, fresh, changed = self._insert(line, rows[high], where, generator)
        return None

    def _train(
        self, line: Tensor, fresh: Tensor, target: float, outset: Outset, meter: Meter
    ) -> Task[tuple[Tensor, Tensor | None]]:
        """Bring fresh beads down to the target; return the string and which beads moved, None where one did not."""
        rate = self.rate * outset.chord / len(line[0]) ** 0.5
        beads, moved = line[1:-1].clone(), torch.zeros_like(fresh)
        open_ = torch.nonzero(fresh).flatten()
        adam = Adam.of(len(open_), line[0])
        for step in range(self.max_steps + 1):
            if not len(open_):
                return torch.cat([line[:1], beads, line[-1:]]), moved
            if step == self.max_steps or meter.spent >= self.budget:
                break
            energies, gradients = yield from meter.gradients(beads[open_])
            finite = torch.isfinite(gradients).all(1)
            still = ~(finite_or_inf(energies) <= target)
            # A bead where the energy is not finite has nowhere to go and uses up its steps.
            gradients = torch.where(finite[:, None], gradients, 0.0)[still]
            open_, adam = open_[still], adam.take(still).note(-gradients)
            beads[open_] += rate * adam.step
            moved[open_] = True
        return line, None

    def _insert(
        self, line: Tensor, segments: Tensor, where: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Put a bead into each of some segments; return the string, which beads and which segments are new."""
        t = where[:, None] if self.insertion == "maximum" else torch.full((len(segments), 1), 0.5, dtype=line.dtype)
        step = line[segments + 1] - line[segments]
        noise = torch.randn(step.shape, generator=generator, dtype=step.dtype)
        noise = noise / noise.norm(dim=1, keepdim=True)
        new = line[segments] + t * step + self.kick * step.norm(dim=1, keepdim=True) * noise
        order = torch.cat([torch.arange(len(line), dtype=line.dtype), segments + 0.5]).argsort()
        is_new = (order >= len(line))[1:-1]
        edge = torch.nn.functional.pad(is_new, (1, 1))
        return torch.cat([line, new])[order], is_new, edge[1:] | edge[:-1]
