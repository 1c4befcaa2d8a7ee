"""Where tension pulls the beads of a string when each energy is replaced by a quadratic model of its own.

    minimize    sum_i w_i |x_(i+1) - x_i|^2 / 2  +  sum_i h_i |d_i|^2 / 2
    subject to  E_i + g_i.d_i + |U_i d_i|^2 / 2 <= c_i

over the steps d_i of the inner beads. The dual in one multiplier a bead is concave and smooth; it is solved by
Newton steps on the active multipliers (Fletcher, Practical Methods of Optimization, ch. 12: sequential quadratic
programming, here with quadratic constraints). Everything but the last line happens in inner products of gradients and
curvature directions, so that the dimension of the points hardly matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MAX_NEWTON, HALVINGS = 40, 12
STRONGEST = 1e4  # force of a constraint over that of the tension: beyond, its model has no point that low


def pull(
    points: Tensor,
    energies: Tensor,
    gradients: Tensor,
    curvature: Tensor,
    limits: Tensor,
    hold: Tensor,
    tolerance: float,
) -> Tensor:
    """Steps (k, d) of the inner beads of a string (k + 2, d).

    Energies, gradients, curvature directions (k, m, d), limits of the energy and `hold` are those of the inner
    beads; the constraints are met to `tolerance` where the models can meet them.
    """
    lengths = points.diff(dim=0).norm(dim=1)
    mean = lengths.mean().clamp(min=1e-300)
    weights = mean / lengths.clamp(min=float(mean) / 5)
    tension = torch.diag(weights[:-1] + weights[1:] + hold)
    tension = tension - torch.diag(weights[1:-1], 1) - torch.diag(weights[1:-1], -1)
    force = (weights[1:, None] * points.diff(dim=0)[1:]) - (weights[:-1, None] * points.diff(dim=0)[:-1])
    used = (curvature != 0).any(2)
    directions, owner = curvature[used], torch.nonzero(used)[:, 0]
    inverse = torch.linalg.inv(tension)
    dual = _Dual.of(inverse, force, gradients, directions, owner, energies - limits)
    strongest = STRONGEST * mean / gradients.norm(dim=1).clamp(min=1e-300)
    multipliers = dual.solve(strongest, tolerance)
    bent = dual.at(multipliers)[1]
    bends = torch.zeros_like(force).index_add(0, owner, bent[:, None] * directions)
    step: Tensor = inverse @ (force - multipliers[:, None] * gradients - bends)
    return step


@dataclass(frozen=True, slots=True)
class _Dual:
    """The dual problem, in inner products through the inverse of the tension matrix.

    With r curvature directions q and k gradients g: qq (r, r), qg (r, k), gg (k, k), and qf (r,), gf (k,) with the
    force; `excess` (k,) is what each energy is above its limit.
    """

    qq: Tensor
    qg: Tensor
    gg: Tensor
    qf: Tensor
    gf: Tensor
    owner: Tensor
    excess: Tensor

    @classmethod
    def of(
        cls, inverse: Tensor, force: Tensor, gradients: Tensor, directions: Tensor, owner: Tensor, excess: Tensor
    ) -> _Dual:
        """Form the inner products."""
        rows = inverse[owner]
        return cls(
            rows[:, owner] * (directions @ directions.mT),
            rows * (directions @ gradients.mT),
            inverse * (gradients @ gradients.mT),
            (rows * (directions @ force.mT)).sum(1),
            (inverse * (gradients @ force.mT)).sum(1),
            owner,
            excess,
        )

    def at(self, multipliers: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Model excess (k,) of the best steps; their force along each direction, q.d (r,) and the inner matrix."""
        strength = multipliers[self.owner]
        matrix = torch.eye(len(strength), dtype=self.qq.dtype) + strength[:, None] * self.qq
        free = self.qf - self.qg @ multipliers
        bent = torch.linalg.solve(matrix, strength * free)
        along = free - self.qq @ bent
        model = self.excess + self.gf - self.gg @ multipliers - self.qg.mT @ bent
        return model.index_add(0, self.owner, along.square() / 2), bent, along, matrix

    def solve(self, strongest: Tensor, tolerance: float) -> Tensor:
        """The multipliers (k,) at which no constraint is broken and only met ones push."""
        multipliers = torch.zeros_like(self.excess)
        model, _, along, matrix = self.at(multipliers)
        for _ in range(MAX_NEWTON):
            broken = _broken(model, multipliers, strongest)
            if not bool((broken.abs() > tolerance).any()):
                break
            step = self._newton(multipliers, broken, along, matrix)
            for _ in range(HALVINGS):
                trial = (multipliers + step).clamp(min=0).minimum(strongest)
                model, _, along, matrix = self.at(trial)
                if _broken(model, trial, strongest).square().sum() < broken.square().sum():
                    break
                step = step / 2
            multipliers = trial
        return multipliers

    def _newton(self, multipliers: Tensor, broken: Tensor, along: Tensor, matrix: Tensor) -> Tensor:
        """Newton step (k,) of the multipliers whose constraints are not settled."""
        active = torch.nonzero((multipliers > 0) | (broken > 0)).flatten()
        bends = torch.zeros_like(self.qg)
        bends[torch.arange(len(self.owner)), self.owner] = along
        slopes = self.qg + self.qq @ bends
        hessian = self.gg + bends.mT @ self.qg + slopes.mT @ bends
        hessian = hessian - slopes.mT @ torch.linalg.solve(matrix, multipliers[self.owner][:, None] * slopes)
        inner = hessian[active][:, active]
        inner = inner + 1e-10 * inner.diagonal().mean() * torch.eye(len(active), dtype=inner.dtype)
        return torch.zeros_like(broken).index_copy(0, active, torch.linalg.solve(inner, broken[active]))


def _broken(model: Tensor, multipliers: Tensor, strongest: Tensor) -> Tensor:
    """By how much each constraint is broken, or pushes without being met."""
    settled = ((multipliers <= 0) & (model <= 0)) | ((multipliers >= strongest) & (model > 0))
    return torch.where(settled, 0.0, model)


def curvature_directions(steps: Tensor, changes: Tensor) -> Tensor:
    """Directions U (k, m, d) with U^T U = Y^T (S Y^T)^-1 Y, the least curvature that explains the pairs (k, m, d)."""
    size = steps.norm(dim=2, keepdim=True).clamp(min=1e-300)
    steps, changes = steps / size, changes / size
    products = steps @ changes.mT
    values, vectors = torch.linalg.eigh((products + products.mT) / 2)
    good = (values > 1e-3 * values[:, -1:]) & (values > 0)
    scale = torch.where(good, values.clamp(min=1e-300).rsqrt(), 0.0)
    directions: Tensor = (vectors.mT @ changes) * scale[:, :, None]
    return directions
