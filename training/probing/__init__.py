"""Probing: in which layers a recogniser tells synthetic speech from real, and what it goes by.

pairing         real and synthetic takes of the same texts
activations     what every layer makes of a take, as one vector
surface         what can be told without a model: duration, loudness, pauses
cells           training and test takes that share neither speaker nor text
classifier      the probe: a logistic regression for each cell
figures         accuracy, AUC and shifts, with intervals
layers          the probe of every layer, and of the controls
perturbations   the ways in which takes are perturbed
sweep           what each perturbation does to the score of a probe
report          all of it for a checkpoint, kept as rows
keeping         reports as files
plots, telling  the same for people
"""
