"""Random numbers from the caller's generator, also through code that knows only torch's global one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from tda_landscape._errors import InputError

Seed = int | torch.Generator


def as_generator(seed: Seed) -> torch.Generator:
    """Make a generator from an int; pass a generator through."""
    if isinstance(seed, torch.Generator):
        return seed
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**63:
        raise InputError(f"a seed is an int from 0 to 2^63 - 1 or a torch.Generator, got {seed!r}")
    return torch.Generator().manual_seed(int(seed))


@contextmanager
def lend(generator: torch.Generator) -> Iterator[None]:
    """Let code that draws from torch's global generator draw from this one; the global one is put back."""
    with torch.random.fork_rng(devices=[]):
        torch.random.set_rng_state(generator.get_state())
        yield
        generator.set_state(torch.random.get_rng_state())
