"""Training: releases become recognisers, by one loop and many objectives.

objective            what a method trains, and the loss of a batch
data                 releases, which are heard, and texts alone
backbones/           frozen encoders and language models, as they are to be had
augmentation/        takes as they are heard elsewhere, in planned variants
features             encoder outputs, kept so that a frozen encoder runs once
sampling             which utterances make the next batch
loop, optim          the only training loop; on_ray spreads it over machines
validation           what it does with takes that it does not learn from
checkpoint           what was trained, where it came from, and how to go on
session              from recipe to checkpoint; checks and drawing are what it asks of its data
projectors           frames of an encoder become slots of a language model; q_former is of one kind
template, padding    what a language model reads, in tokens and rectangles
speech_llm           projected audio among the embeddings of text
ctc                  characters from an encoder
transducer           the same, and from the characters before them; alphabet is what both write
whisper_asr          Whisper itself, tuned further
whisper_decoder      its decoder, on kept frames; whisper_text is what both write
modes                dropout in training, and nowhere else
slam_asr             a language model that listens
grpo                 the same, trained by what its own answers are worth
jstip                the same, trained on speech and text in turn
interleaving/        units of speech and text in turn, and many sequences a row
mixing/              transcripts, interleaved sequences and texts by shares of tokens
masking              SpecAugment: some of what is heard is hidden
penalty              real and synthetic speech, made to look alike
lasyn/               latents made of texts, as if they had been spoken
slu/                 a decoder that writes what is meant before what is said
warm_start           a projector that finds the embeddings of its text first
answering            how an objective offers to transcribe
decoding, overrun    what was heard, and what was said too much
evaluation/          how well it was heard, on what training has not had
starting             what a training begins with, by content
merging/             what sets real speech apart, added to another model
probing/             in which layers real and synthetic speech are told apart
methods              their recipe tables
recipe, consistency  the TOML file of a training, and what in it does not go together
"""
