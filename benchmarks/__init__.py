"""Speed and scale, measured beside what a user would otherwise pick: ``make benchmarks``."""
