"""Mixing: transcripts, interleaved sequences and texts in one training, by shares of tokens.

mixture         the recipe table
sources         what there is to draw from: takes, their word times, and texts
unit_lengths    how long units are, as a histogram
mixer           the epochs: what is drawn, and in which batch
hearing         features of whole takes, and of the heard parts of sequences
"""
