"""Losses that are convex in the output of the network, and how a loss of torch is recognised."""

from tda_landscape.certificates.losses._bound import loss_above, loss_below
from tda_landscape.certificates.losses._loss import ConvexLoss
from tda_landscape.certificates.losses._recognise import RULES, recognise

__all__ = ["RULES", "ConvexLoss", "loss_above", "loss_below", "recognise"]
