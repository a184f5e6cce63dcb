"""Recognisers: one module per family."""
