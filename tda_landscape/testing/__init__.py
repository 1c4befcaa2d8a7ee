"""Conformance checks: what every energy, kernel and path search must satisfy, also one of your own."""

from tda_landscape.testing._checks import check_energy, check_kernel, check_search

__all__ = ["check_energy", "check_kernel", "check_search"]
