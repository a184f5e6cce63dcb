"""SYN2REAL, measured on real people: what tells real from synthetic speech, carried over to a domain of text alone.

    python -m benchmarks.syn2real --speech FOLDER --texts FOLDER --asr corpora/asr --work corpora/syn2real

What it can say is bounded: a domain is a corpus of few speakers, so that a vector holds its channel as much as its
topic; only Whisper's decoder is tuned, or a CTC head with what is below it; and Whisper tiny.en by itself is heard in
int8.

data        real recordings by domain, in three parts; the texts that are read by voices
trainings   which models there are, and from which recipe each comes
merges      which models are made of them, and with which lambda
telling     all of it as Markdown
__main__    the whole of it; what is there already stays
"""
