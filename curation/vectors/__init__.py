"""Prosody and timbre as vectors: what they are made of, and how they are held against a voice."""
