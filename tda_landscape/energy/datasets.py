"""Built-in data sets: offline, as float64 inputs and integer targets."""

from __future__ import annotations

import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from torch import Tensor

from tda_landscape._errors import InputError, expect_whole
from tda_landscape.energy._random import Seed, as_generator

LOADERS = {
    "digits": load_digits,
    "breast_cancer": load_breast_cancer,
    "wine": load_wine,
    "iris": load_iris,
}


def load(name: str = "digits", *, samples: int | None = None, seed: Seed = 0) -> tuple[Tensor, Tensor]:
    """Load one of scikit-learn's classification sets, or a random subset of it.

    Parameters
    ----------
    name : str
        digits (1797 x 64), breast_cancer (569 x 30), wine (178 x 13) or iris (150 x 4).
    samples : int, optional
        Size of a random subset; all rows by default.
    seed : int or torch.Generator
        Of the subset.

    Returns
    -------
    inputs : Tensor (n, d)
        Each column scaled to [0, 1] by its range over the whole set (digits: by the common 16).
    targets : Tensor of int64 (n,)

    Examples
    --------
    >>> X, y = load("digits", samples=300)
    >>> X.shape, y.dtype
    (torch.Size([300, 64]), torch.int64)
    """
    if name not in LOADERS:
        raise InputError(f"data set {name!r} is not one of {', '.join(LOADERS)}")
    raw, labels = LOADERS[name](return_X_y=True)
    inputs, targets = torch.tensor(raw, dtype=torch.float64), torch.tensor(labels, dtype=torch.int64)
    low, high = inputs.amin(0), inputs.amax(0)
    inputs = inputs / 16 if name == "digits" else (inputs - low) / (high - low)
    if samples is None:
        return inputs, targets
    expect_whole(f"[1, {len(targets)}]", samples=samples)
    chosen = torch.randperm(len(targets), generator=as_generator(seed))[:samples]
    return inputs[chosen], targets[chosen]
