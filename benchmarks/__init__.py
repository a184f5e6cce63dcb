"""Measurements, each against what a user would do instead: `make bench`."""
