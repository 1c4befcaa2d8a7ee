"""Reading a module as a chain: what it computes, and what is refused."""

import pytest
import torch
from torch import nn

import tda_landscape as tl
from tda_landscape.theory._chain import read_chain


class Squares(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(3, 4, bias=False), nn.Linear(4, 1)

    def forward(self, x):
        return self.two(self.one(x) ** 2).squeeze(1)


class Skip(Squares):
    def forward(self, x):
        hidden = self.one(x)
        return self.two(hidden + torch.tanh(hidden) @ torch.ones(4, 4, dtype=x.dtype) + x[:, :1])


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 3)

    def forward(self, x):
        return self.one(torch.relu(self.one(x)))


X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def network(module, inputs=X, outputs=1):
    targets = torch.zeros(len(inputs)) if outputs == 0 else torch.zeros(len(inputs), outputs)
    return tl.Energy.from_model(module, nn.functional.mse_loss, (inputs, targets)).network


@pytest.mark.parametrize(
    ("module", "outputs", "widths", "linear"),
    [
        (tl.zoo.networks.mlp([3, 4, 2], activation="relu"), 2, (3, 4, 2), False),
        (tl.zoo.networks.mlp([3, 4, 5, 2], activation="identity", bias=False), 2, (3, 4, 5, 2), True),
        (nn.Linear(3, 2), 2, (3, 2), True),
        (nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), 2, (3, 4, 2), True),
        (nn.Sequential(nn.Flatten(), nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1), nn.Flatten(0)), 0, (3, 2, 1), False),
        (Squares(), 0, (3, 4, 1), False),
    ],
)
def test_a_chain_computes_what_the_module_computes(module, outputs, widths, linear):
    net = network(module, outputs=outputs)
    chain = read_chain(net)
    assert (chain.widths, chain.linear) == (widths, linear)
    point = torch.randn(sum(p.numel() for p in module.parameters()), dtype=torch.float64)
    with torch.no_grad():
        given = torch.func.functional_call(net.module, net.unflatten(point), (net.inputs,))
    assert torch.allclose(chain.outputs(point), given.reshape(len(X), -1), rtol=1e-12)
    assert torch.equal(chain.vector(chain.layers(point)), point)


@pytest.mark.parametrize("activation", [nn.Hardtanh(-5, 5), nn.Softshrink(1e-3), nn.ReLU6()])
def test_what_is_the_identity_in_the_middle_only_is_not_linear(activation):
    assert not read_chain(network(nn.Sequential(nn.Linear(3, 2), activation, nn.Linear(2, 1)))).linear


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (Skip(), "without skips"),
        (nn.Sequential(Twice(), nn.Linear(3, 1)), "used twice"),
        (nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4, elementwise_affine=False), nn.Linear(4, 1)), "by itself"),
        (nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1)), "belongs to no linear layer"),
        (nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()), "put that into the loss"),
        (nn.Sequential(nn.Unflatten(1, (1, 3)), nn.Conv1d(1, 1, 3), nn.Flatten()), "no linear layer"),
    ],
)
def test_what_is_no_chain_is_refused(module, sentence):
    with pytest.raises(tl.InputError, match=sentence):
        read_chain(network(module.double()))
