"""Curation: takes become scores, verdicts and releases."""
