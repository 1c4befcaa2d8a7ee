"""Path searches beside each other: `python -m benchmarks.paths`."""
