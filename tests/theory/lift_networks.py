"""Random networks with one hidden layer, of every activation and loss, with data and ends that may be degenerate."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import orth
from scipy.optimize import linprog, minimize
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, huber_loss, l1_loss, mse_loss, softplus

import tda_landscape as tl
from tda_landscape.theory._chain import read_chain
from tda_landscape.theory._intrinsic import draw_weights, hidden_inputs

ACTIVATIONS = (
    torch.relu,
    torch.tanh,
    softplus,
    torch.sigmoid,
    torch.sin,
    torch.square,
    lambda z: z,
    lambda z: z + z**3,
)
CERTIFIED = (torch.relu, torch.tanh, torch.square)
SMOOTH = (mse_loss, huber_loss, cross_entropy, binary_cross_entropy_with_logits)
LOSSES = (*SMOOTH, l1_loss)


class Net(nn.Module):
    def __init__(self, sizes, rho, biased):
        super().__init__()
        self.one, self.two = nn.Linear(*sizes[:2], bias=biased[0]), nn.Linear(*sizes[1:], bias=biased[1])
        self.rho = rho

    def forward(self, x):
        return self.two(self.rho(self.one(x)))


@dataclass
class Case:
    energy: tl.Energy
    chain: object
    ends: torch.Tensor
    q: tl.theory.IntrinsicDimension
    generator: torch.Generator


def draw(seed, units, losses=LOSSES, rhos=ACTIVATIONS):
    """A random architecture with p = units(q, extra) units, random data and loss, and two ends, some degenerate."""
    g = torch.Generator().manual_seed(seed)

    def pick(options):
        return options[int(torch.randint(len(options), (1,), generator=g))]

    def normal(*shape):
        return torch.randn(*shape, generator=g, dtype=torch.float64)

    n, m, rows, rho, loss = pick((1, 2, 3, 4)), pick((1, 2, 3)), pick(range(2, 10)), pick(rhos), pick(losses)
    biased, kind = (pick((False, True)), pick((False, True))), pick(("generic", "repeated", "flat"))
    x = normal(rows, n)
    if kind == "repeated":
        x = torch.cat([x, x[:1], -x[:1]])
    if kind == "flat":
        x = x[:, :1] @ normal(1, n)
    y = normal(len(x), m)
    if loss is binary_cross_entropy_with_logits:
        y = (y > 0).double()
    if loss is cross_entropy:
        y = torch.randint(m, (len(x),), generator=g)
    q = tl.theory.intrinsic_dimension(Net((n, 1, m), rho, biased), (x, y))
    p = max(1, units(q, pick((0, 0, 0, 1, 2, q.value, 2 * q.value))))
    energy = tl.Energy.from_model(Net((n, p, m), rho, biased), loss, (x, y))
    chain = read_chain(energy.network)
    ends = torch.stack([degenerate(chain, normal(energy.dim), pick(DEGENERATE)) for _ in range(2)])
    return Case(energy, chain, ends, q, g)


DEGENERATE = ("generic", "generic", "generic", "zero", "same unit", "one direction", "no output", "small", "large")


def degenerate(chain, point, kind):
    (w, b), (u, c) = chain.layers(point.clone())
    if kind == "zero":
        return 0 * point
    if kind == "same unit":
        w[:] = w[:1].clone()
    if kind == "one direction":
        w[:] = torch.outer(w[:, 0], w[0])
    if kind == "no output":
        u[:] = 0
    if b is not None and kind in ("same unit", "one direction"):
        b[:] = 0
    return chain.vector([(w, b), (u, c)]) * {"small": 1e-3, "large": 30.0}.get(kind, 1.0)


def lowest(energy, chain):
    """The least loss of all output layers on all features, by another route than the descents'.

    Least squares in closed form; least absolute errors as the dual linear program; others by scipy's BFGS.
    """
    weights = draw_weights(hidden_inputs(chain), 400, torch.Generator().manual_seed(5))
    features = chain.activations[0](weights @ hidden_inputs(chain).T).T
    features = features / features.norm(dim=0).clamp(min=1e-300)
    basis = orth((torch.cat([features, torch.ones(len(features), int(chain.biased[1]))], 1)).numpy(), 1e-11)
    y, loss = energy.network.targets, energy.network.loss
    if loss is mse_loss:
        return float(np.square(y.numpy() - basis @ (basis.T @ y.numpy())).mean())
    if loss is l1_loss:
        return (
            sum(-linprog(-t, A_eq=basis.T, b_eq=np.zeros(basis.shape[1]), bounds=(-1, 1)).fun for t in y.T.numpy())
            / y.numel()
        )
    wanted, columns = torch.from_numpy(basis), chain.widths[-1]

    def value_and_slope(flat):
        c = torch.from_numpy(flat).view(-1, columns).requires_grad_()
        value = loss(wanted @ c, y)
        return value.item(), torch.autograd.grad(value, c)[0].flatten().numpy()

    start = np.zeros(basis.shape[1] * columns)
    return float(minimize(value_and_slope, start, jac=True, method="BFGS", options={"gtol": 1e-9}).fun)
