"""How fast we are, as ratios measured in one run: ``python -m tests.benchmarks``."""
