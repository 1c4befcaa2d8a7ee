import pytest
import torch.nn.functional as F
from symmetry_networks import XOR

import tda_landscape as tl


@pytest.fixture(scope="session")
def xor():
    """The 2-4-1 tanh network of the XOR problem, BCE + 1e-3 |theta|^2."""

    def loss(outputs, targets):
        return F.binary_cross_entropy_with_logits(outputs[:, 0], targets)

    return tl.Energy.from_model(tl.zoo.networks.mlp([2, 4, 1]), loss, XOR, weight_decay=1e-3)
