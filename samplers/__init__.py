"""Markov kernels that draw points of an energy landscape, and the loop that runs them; useful alone.

A kernel is a frozen dataclass with two pure functions, `init` and `step`, over a batch of chains (k, d). It takes
any object that satisfies `Potential`; `tda_landscape.Energy` does. `run` draws chains of them.
"""

from samplers import schedules
from samplers._chains import Chains, RunState
from samplers._kernel import Info, Kernel, Potential, Schedule, State
from samplers._run import run, start_state, trajectory
from samplers.basin_hopping import BasinHopping
from samplers.descent import SGD, GradientDescent
from samplers.galilean import Galilean
from samplers.hit_and_run import HitAndRun
from samplers.langevin import Langevin
from samplers.mala import MALA
from samplers.nested import Volumes, nested_volumes
from samplers.numpy_potential import NumpyPotential
from samplers.rejection import Rejection
from samplers.replica_exchange import ReplicaExchange
from samplers.underdamped import Underdamped

KERNELS = (
    GradientDescent,
    SGD,
    Langevin,
    MALA,
    Underdamped,
    Rejection,
    Galilean,
    HitAndRun,
    ReplicaExchange,
    BasinHopping,
)
"""Every kernel; the conformance tests and the configuration files read this list."""

__all__ = [
    "KERNELS",
    "MALA",
    "SGD",
    "BasinHopping",
    "Chains",
    "Galilean",
    "GradientDescent",
    "HitAndRun",
    "Info",
    "Kernel",
    "Langevin",
    "NumpyPotential",
    "Potential",
    "Rejection",
    "ReplicaExchange",
    "RunState",
    "Schedule",
    "State",
    "Underdamped",
    "Volumes",
    "nested_volumes",
    "run",
    "schedules",
    "start_state",
    "trajectory",
]
