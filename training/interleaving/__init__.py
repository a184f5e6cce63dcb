"""Interleaved speech and text (JSTIP, Fan et al. 2026): an utterance in units, some heard and the others read.

words      the timed words of a text, as it is spoken or as it is written
units      words, or segments of words between silences
choosing   which units are heard: in turn, or by what they hold and how surely they are timed
spans      the heard pieces of a batch behind each other, through an encoder once, and back
packing    sequences behind each other in rows, none of which sees another
apart      whether a language model keeps them apart
timings    the word times of a release, as its corpus holds them
sequences  both variants of every take as rows of the corpus; texts_alone, beside them
telling    what was made, for people
"""
