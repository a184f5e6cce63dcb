"""Verbs of curation, a module each, mounted by `curation.cli`."""
