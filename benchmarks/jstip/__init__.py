"""JSTIP at the size of SLAM-ASR: does reading and hearing in turn help with what a domain talks about?

    python -m benchmarks.jstip --speech FOLDER --texts FOLDER --asr corpora/asr --work corpora/jstip

The paper trains 7 B parameters on 38,000 hours, in two stages. Here all rows go on from one projector, which
benchmarks/slam_asr has brought past emergence: that was the first stage, the projector alone. The second
trains the projector and LoRA on the language model, for equal steps of equal tokens; the encoder stays as it is. The
domain is that of the orders; its texts are made up, and its speech is synthetic. Measured on people: word errors and
slots of real orders. Measured on espeak, which is labelled so: biomedical sentences, a domain that no row has had, and
spoken questions.

Not measured: word errors on LibriSpeech, since a model of so few steps finds no end of its sentences, and hearing that
takes longer than all else. Not done: tuning the encoder, rows of 8,000 tokens, and punctuation: the texts have none, so
that a segment ends at a silence, or after two seconds.

A row takes 150 steps of 1,000 tokens, a quarter of an hour of one core, and some minutes to be measured. Word times of
hours of speech come before that, once; so does hearing the parts of sequences, each the first time it is drawn, since
Whisper pads it to half a minute.

data        word times of the corpora; biomedical sentences, questions and texts held out, and who reads them
trainings   the rows, by shares of tokens, and the recipe of each
measuring   what is measured of a row
gaps        answers to speech less answers to text, of two rows on the same questions
running     all rows, side by side, and what came of them
telling     all of it as Markdown
small       corpora that are hummed, to try the script
__main__    the whole of it; what is there already stays
"""
