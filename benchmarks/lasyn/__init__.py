"""LaSyn, measured on real people: what texts that nobody has read are worth beside half an hour of real speech.

    python -m benchmarks.lasyn --speech FOLDER --asr corpora/asr --work corpora/lasyn

Its speech and texts are those of docs/results/slam_asr.md, "The data"; its target are orders of coffee. The recogniser
is the upper half of Whisper tiny.en's encoder with a CTC head, the smallest there is: rows tell what texts bring to
it, not what the best recogniser would be. ``--recogniser`` names others: a transducer, as the paper has one, or
Whisper's decoder.

models      the guide, the synthesisers, and a recogniser for every row
noisy       the same test with noise in it
latents     how like real latents those are that are made
telling     error rates of the rows, and slots
cost        what a text costs as a latent, and as audio
__main__    the whole of it; what is there already stays
"""
