"""Merging: what sets real speech apart from synthetic in one domain, added to a model of another (SYN2REAL).

Su et al., "Task Arithmetic can Mitigate Synthetic-to-Real Gap in Automatic Speech Recognition" (arXiv 2406.02925). Two
trainings of one base, on real and on synthetic readings of the same texts, differ by a task vector; a model that has
had synthetic speech of a new domain alone gets it added, times lambda.

vectors     weights by name: differences, sums, norms, cosines
operators   several vectors become one: mean, TIES, DARE, TSV-M; how it is added: straight on, or along an arc
low_rank    adapters of LoRA as the differences that they stand for, and back
scales      lambda, for a model or layer by layer
readings    who has read to a model: people, machines
parts       a checkpoint as merging sees it; what may be merged with what
recipe      the TOML file of a merge
devs        the takes that lambda is chosen by
identity    what a merge is known by, and whether a folder has it
composing   the merged checkpoint, and what it says of itself
choosing    lambda, without real speech of the target
keeping     vectors as files
registry    vectors as rows of a corpus
angles      how vectors lie to each other
merge       the whole of it, from a recipe
plots       cosines as maps, error rates over lambda
telling     the same in words
"""
