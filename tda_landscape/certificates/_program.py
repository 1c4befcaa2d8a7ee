"""A network as a list of steps, each a rule with the steps that it takes its inputs from."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from tda_landscape.certificates._enclosure import Enclosure
from tda_landscape.certificates._polynomial import Polynomial
from tda_landscape.certificates._segments import Segments
from tda_landscape.certificates.rules import Known, PolynomialRule, Rule
from tda_landscape.certificates.rules.generators import regenerated
from tda_landscape.certificates.rules.max_pooling import MaxPool
from tda_landscape.certificates.rules.relu import LeakyRelu, Relu
from tda_landscape.certificates.rules.smooth import Smooth

BENT = (Relu, LeakyRelu, Smooth, MaxPool)
"""Rules that add to the radius; after these, radii may become generators."""

Trace = list[Tensor]


@dataclass(frozen=True, slots=True)
class Step:
    """One layer; `inputs` number earlier steps, 0 is the data."""

    name: str
    rule: Rule
    inputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """Steps in order, the last one gives the outputs; `constant[i]` where value i depends on no parameter."""

    steps: tuple[Step, ...]
    constant: tuple[bool, ...]

    @property
    def depth(self) -> int:
        """Hidden layers: steps that bend."""
        return sum(isinstance(step.rule, BENT) for step in self.steps)

    @property
    def polynomial(self) -> bool:
        """Whether every unit is a polynomial along a segment."""
        return all(isinstance(step.rule, PolynomialRule) for step in self.steps)

    def trace(self, data: Tensor, theta: Tensor) -> Trace:
        """The data (1, n, ...) and all outputs (S, n, ...) at S parameter vectors; constants stay (1, n, ...)."""
        values = [data]
        for i, step in enumerate(self.steps, start=1):
            given = theta[:1] if self.constant[i] else theta
            values.append(step.rule.value(tuple(values[j] for j in step.inputs), given))
        return values

    def enclose(self, data: Tensor, segments: Segments, ends: list[tuple[Tensor, Tensor]], keep: int) -> list[Known]:
        """Enclosures of all outputs, given the traces at both ends; `keep` is the number M of generators."""
        known: list[Known] = [data]
        for i, step in enumerate(self.steps, start=1):
            if self.constant[i]:
                known.append(ends[i][0][:1])
                continue
            output = step.rule.enclose(tuple(known[j] for j in step.inputs), segments, ends[i])
            if keep and isinstance(step.rule, BENT):
                output = regenerated(output, keep, (i,))
            known.append(output)
        return known

    def expand(self, data: Tensor, segments: Segments) -> Polynomial:
        """Bernstein coefficients of the outputs on one segment."""
        known = [Polynomial.constant(data)]
        for step in self.steps:
            assert isinstance(step.rule, PolynomialRule)  # `polynomial` has said so
            known.append(step.rule.expand(tuple(known[j] for j in step.inputs), segments))
        return known[-1]


def output_of(known: list[Known]) -> Enclosure:
    """The enclosure of the network's outputs, one axis of outputs a row."""
    last = known[-1]
    assert isinstance(last, Enclosure)  # a network has parameters
    return last if last.start.ndim == 3 else last.reshaped(_flat)


def _flat(tensor: Tensor) -> Tensor:
    return tensor.reshape(*tensor.shape[:2], -1)
