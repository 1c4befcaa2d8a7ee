"""Minima, saddles and merge trees by exploration."""
