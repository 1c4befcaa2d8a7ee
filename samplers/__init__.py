"""Markov kernels that draw points of an energy landscape: torch only, useful alone.

A kernel is a frozen dataclass with two pure functions, `init` and `step`, over a batch of chains (k, d). It takes
any object that satisfies `Potential`; `tda_landscape.Energy` does.
"""

from samplers._kernel import Info, Kernel, Potential, State
from samplers.descent import SGD, GradientDescent
from samplers.langevin import Langevin

KERNELS = (GradientDescent, SGD, Langevin)
"""Every kernel; the conformance tests and the configuration files read this list."""

__all__ = ["KERNELS", "SGD", "GradientDescent", "Info", "Kernel", "Langevin", "Potential", "State"]
