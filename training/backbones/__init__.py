"""Backbones: speech encoders and causal language models, frozen unless somebody trains them.

encoders             the protocol, and the recipe tables of Whisper, WavLM, HuBERT and tiny random encoders
encoding             what all encoders share: batches, layers, inference without gradients
whisper, waves       the two families: log-mel windows of 30 s, and raw waves
ctranslate2          Whisper weights out of CTranslate2 files, which ct2_file reads
language_models      the recipe tables of language models
causal_lm            a loaded language model with its tokenizer, and LoRA
gguf                 language models out of GGUF files
tiny, tiny_lm        tiny random models of the true classes
split, frozen        the layers above a split, which may be tuned; models that stay as they are
"""
