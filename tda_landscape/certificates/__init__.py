"""Certificates: proved bounds of an energy along a path, from the layer structure of a network."""

from tda_landscape.certificates._certificate import Certificate, Outcome
from tda_landscape.certificates._certify import certify, certify_merge, check_certifiable

__all__ = ["Certificate", "Outcome", "certify", "certify_merge", "check_certifiable"]
