"""LaSyn, measured on real people: what texts that nobody has read are worth beside half an hour of real speech.

    python -m benchmarks.lasyn --speech FOLDER --texts FOLDER --asr corpora/asr --work corpora/lasyn

Its speech and texts are those of docs/results/slam_asr.md, "The data"; its target are orders of coffee. The recogniser
is Whisper's decoder, which has heard real speech of another domain and no order. ``--recogniser`` names others: one
that writes what is meant, too; the upper half of Whisper tiny.en's encoder with a new CTC head; or a transducer, as the
paper has one.

models      the guide, the synthesisers, and a recogniser for every row
noisy       the same test with noise in it
latents     how like real latents those are that are made
running     all rows, side by side, and what came of them
telling     error rates of the rows, and slots
cost        what a text costs as a latent, and as audio
__main__    the whole of it; what is there already stays
"""
