"""Policies: thresholds over stored scores, the verdicts they give, and what another policy would change."""
