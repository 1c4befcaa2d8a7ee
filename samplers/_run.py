"""The one loop: warm up, freeze the step, keep every so many points, go on later from where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch

from samplers._adapt import begin, with_step
from samplers._arrays import Array, Generator, as_tensor, double
from samplers._chains import Chains, RunState
from samplers._kernel import Info, Kernel, Potential, is_full_batch
from samplers._plan import planned, probe
from samplers.numpy_potential import NumpyPotential

Progress = Callable[[int, int], None]


def run(
    potential: Potential,
    kernel: Kernel,
    start: Array | RunState,
    *,
    draws: int,
    warmup: int = 0,
    thin: int = 1,
    seed: int | torch.Generator | None = None,
    plan: int | None = None,
    progress: Progress | None = None,
) -> Chains:
    """Run a kernel from each start point and keep `draws` points of each chain, with their full-batch energies.

    Parameters
    ----------
    potential : Potential
        A `tda_landscape.Energy`, a `NumpyPotential`, or any object like them.
    kernel : Kernel
        E.g. ``samplers.MALA(step_size=0.1, temperature=0.4)``.
    start : (chains, d) or RunState
        Start points, one row a chain (a tensor, or an array for a `NumpyPotential`); or the `state` of earlier
        chains, to go on from there: 500 draws and then 500 more from their state are bit by bit the 1000 draws of one
        run. Give their `kernel` then, and no seed and no warm-up.
    draws : int
        Points kept of each chain.
    warmup : int
        Steps before those, thrown away. Where the kernel has a target for its acceptance they adapt its step size by
        dual averaging; it is frozen after them.
    thin : int
        Steps for each point kept.
    seed : int or torch.Generator, optional
        0 by default.
    plan : int, optional
        Points evaluated at once; by default the fastest of a short probe. Bits are promised for the same plan, so it
        is kept in the state; the noise of a chain does not depend on it.
    progress : callable, optional
        Called with (steps made, steps in all) after each point kept.

    Returns
    -------
    Chains
        Points as the kernel moved them: those of an energy on a torus are not brought back to its cell.

    Raises
    ------
    ValueError
        A start above the kernel's level, minibatches with a kernel that compares energies, a state of another
        kernel, or no chain that stayed finite.

    Examples
    --------
    >>> import samplers, tda_landscape as tl
    >>> energy = tl.zoo.double_well(2)
    >>> kernel = samplers.MALA(step_size=0.1, temperature=0.4)
    >>> first = run(energy, kernel, energy.start(4, 0), draws=50, warmup=100, seed=0)
    >>> more = run(energy, first.kernel, first.state, draws=50)
    >>> whole = run(energy, kernel, energy.start(4, 0), draws=100, warmup=100, seed=0, plan=first.state.plan)
    >>> torch.equal(torch.cat([first.points, more.points], 1), whole.points)
    True
    """
    require_parts(potential, kernel)
    counts = draws, thin, warmup, 1 if plan is None else plan
    if not all(isinstance(count, (int, np.integer)) for count in counts):
        raise ValueError(f"draws, thin, warmup and plan must be whole numbers, got {draws}, {thin}, {warmup}, {plan}")
    if min(draws, thin) < 1 or warmup < 0 or (plan is not None and plan < 1):
        raise ValueError(
            f"draws, thin and plan must be positive, warmup not negative; got {draws}, {thin}, {plan}, {warmup}"
        )
    with np.errstate(all="ignore"):  # a chain that diverges is reported, not warned of
        if not isinstance(start, RunState):
            begun = _begin(potential, kernel, start, 0 if seed is None else seed, plan, warmup)
        elif seed is None and not warmup and plan in (None, start.plan) and kernel == start.kernel:
            begun = start
        else:
            raise ValueError(
                "a run that goes on takes chains.kernel and chains.state, and no seed, warm-up or other plan"
            )
        return _draw(planned(potential, begun.plan, len(begun.start)), begun, draws, thin, progress)


def require_parts(potential: Any, kernel: Any) -> None:
    """Refuse what is no potential or no kernel, and classes in place of their instances."""
    for name, value, kind, hint in (
        ("potential", potential, Potential, "e.g. tda_landscape.Energy.from_model(model, loss, (X, y))"),
        ("kernel", kernel, Kernel, "e.g. samplers.SGD(lr=0.1)"),
    ):
        if not isinstance(value, kind) or isinstance(value, type):
            given = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
            raise ValueError(f"{name} must be a {kind.__name__}, got {given}; make one, {hint}")


def trajectory(potential: Potential, kernel: Kernel, state: Any, generator: Any) -> Iterator[tuple[Any, Info]]:
    """Yield state and info after each step, for ever: the caller decides what to keep."""
    while True:
        state, info = kernel.step(potential, state, generator)
        yield state, info


def start_state(potential: Potential, kernel: Any, start: Array, generator: Any) -> Any:
    """State of a kernel at start points that it may start from.

    Raises
    ------
    ValueError
        Minibatches where the kernel compares energies, or a start above its level.
    """
    if getattr(kernel, "full_batch", False) and not is_full_batch(potential):
        raise ValueError(
            f"{type(kernel).__name__} compares energies, which minibatches make random; give an energy without them"
        )
    state = kernel.init(potential, start, generator)
    level = getattr(kernel, "level", None)
    if level is not None:
        above = torch.nonzero(~as_tensor(state.energies <= level)).flatten().tolist()
        if above:
            raise ValueError(
                f"{len(above)} of {len(start)} starts have an energy above the level {level:.6g} "
                f"(the first is chain {above[0]} at {float(state.energies[above[0]]):.6g}); start inside"
            )
    return state


def _begin(potential: Any, kernel: Any, start: Array, seed: Any, plan: int | None, warmup: int) -> RunState:
    """Check the start, choose a plan, warm up."""
    numpy = isinstance(potential, NumpyPotential)
    points = np.asarray(start, dtype=float) if numpy else torch.as_tensor(start).detach()
    if points.ndim != 2 or len(points) == 0 or points.shape[1] != potential.dim:
        raise ValueError(f"start must have shape (chains, {potential.dim}), got {tuple(points.shape)}")
    if plan is None or numpy:
        plan = probe(potential, points)
    plan = min(plan, len(points))
    generator = _generator(seed, numpy)
    fast = planned(potential, plan, len(points))
    state = start_state(fast, kernel, points, generator)
    target = getattr(kernel, "target_acceptance", None)
    tuning = begin(kernel) if warmup and target is not None else None
    for _ in range(warmup):
        state, info = kernel.step(fast, state, generator)
        if tuning is not None and target is not None:
            tuning = tuning.update(float(double(info.acceptance).mean()), target)
            kernel = with_step(kernel, tuning.log_step)
    if tuning is not None:
        kernel = with_step(kernel, tuning.log_average)
    none = torch.zeros(len(points), dtype=torch.bool)
    return RunState(kernel, state, _saved(generator), plan, as_tensor(points), none, warmup)


def _draw(potential: Any, begun: RunState, draws: int, thin: int, progress: Progress | None) -> Chains:
    """Keep every `thin`-th point."""
    state, kernel, generator = begun.state, begun.kernel, _restored(begun.generator)
    kept = hasattr(state, "energies") and is_full_batch(potential)
    empty = np.empty if isinstance(state.points, np.ndarray) else torch.empty
    points = empty((draws, *state.points.shape), dtype=state.points.dtype)
    energies = empty((draws, len(state.points)), dtype=state.points.dtype)
    accepted: Any = None
    swapped: Any = None
    walk = trajectory(potential, kernel, state, generator)
    for draw in range(draws):
        for after_step, info in islice(walk, thin):
            state = after_step
            if info.acceptance is not None:
                accepted = double(info.acceptance) * 1.0 if accepted is None else accepted + info.acceptance
            if info.swaps is not None:
                swapped = info.swaps if swapped is None else swapped + info.swaps
        points[draw] = state.points
        energies[draw] = state.energies if kept else potential(state.points)
        if progress is not None:
            progress((draw + 1) * thin, draws * thin)
    after = RunState(
        kernel, state, _saved(generator), begun.plan, begun.start, begun.diverged, begun.steps + draws * thin
    )
    return _chains(as_tensor(points), as_tensor(energies), accepted, swapped, after, thin)


def _chains(
    points: torch.Tensor, energies: torch.Tensor, accepted: Any, swapped: Any, after: RunState, thin: int
) -> Chains:
    """Set aside the chains that ran into a number that is not finite."""
    diverged = after.diverged | ~(torch.isfinite(points).all(2) & torch.isfinite(energies)).all(0)
    if diverged.all():
        raise ValueError(f"all {len(diverged)} chains ran into a non-finite point or energy; take a smaller step")
    chain = torch.nonzero(~diverged).flatten()
    steps = len(points) * thin
    swaps = max(steps // getattr(after.kernel, "every", 1), 1)
    return Chains(
        points=points.transpose(0, 1)[chain],
        energies=energies.T[chain].contiguous(),
        chain=chain,
        diverged=diverged,
        accept_rate=None if accepted is None else as_tensor(accepted)[chain] / steps,
        swap_rate=None if swapped is None else as_tensor(swapped)[chain].mean(0) / swaps,
        thin=thin,
        state=after._replace(diverged=diverged),
    )


def _generator(seed: Any, numpy: bool) -> Generator:
    """A generator of the run's own; one that is given is asked for a seed."""
    if isinstance(seed, torch.Generator):
        seed = int(torch.randint(2**62, (), generator=seed))
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**63:
        raise ValueError(f"a seed is an int from 0 to 2^63 - 1 or a torch.Generator, got {seed!r}")
    return np.random.default_rng(int(seed)) if numpy else torch.Generator().manual_seed(int(seed))


def _saved(generator: Any) -> Any:
    """The state of a generator."""
    return generator.bit_generator.state if isinstance(generator, np.random.Generator) else generator.get_state()


def _restored(saved: Any) -> Generator:
    """A generator in a saved state."""
    if isinstance(saved, torch.Tensor):
        return torch.Generator().set_state(saved)
    generator = np.random.default_rng(0)
    generator.bit_generator.state = saved
    return generator
