"""Augmentation: takes as they are heard elsewhere, planned in a recipe as variants of each take.

variants       the recipe's table, and which variant of a take sounds how
step           what a step is given, and what every table of one has
rooms          responses made or measured, in place and level
noise          coloured, shaped as speech, babble, recorded
codecs         files and telephone lines
filters        bands, tilt, gain
perturbation   tempo, pitch, flat melody, flat loudness
levels         how loud speech is while it is spoken
recordings     folders that rooms and noises come from
"""
