"""Selecting takes: the Pareto front of stability and expressivity, under coverage, up to a quota."""
