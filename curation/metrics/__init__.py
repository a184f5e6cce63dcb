"""The metric families, one a file."""
