"""Rules: how each kind of layer encloses its output on a segment, one file a kind."""

from tda_landscape.certificates.rules._rule import Known, PolynomialRule, Rule, enclosed

__all__ = ["Known", "PolynomialRule", "Rule", "enclosed"]
