"""Speech tokens: a clip as a sequence of small numbers, and what can be counted in such sequences."""
