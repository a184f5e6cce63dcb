"""Evaluation: how well recognisers hear releases that they were not trained on.

recogniser           what is evaluated; checkpoints and the baseline by their names
trained, baseline    a recogniser out of a checkpoint, and the one it is held against
references           what the takes of a release are to be heard as
scoring              a hypothesis held against its reference
understanding        labels held against those of the prompt: accuracy of intents, F1 of slots
leaks                takes, speakers and texts that training has had
hearing              hypotheses of a release, kept in its corpus; the same command goes on
figures, resampling  corpus figures and slices, with bootstrap intervals
comparing, segments  whether two recognisers differ, by exchanging what they have heard and by matched pairs
report               all of it, for one release; telling says it in words
hallucinations       what is heard where nobody speaks: sounds of nonspeech
questions            multiple-choice questions by speech and by text, and the gap
perplexity           what training has cost the language model; log_probs sums for both
verbs                all of it on the command line
"""
