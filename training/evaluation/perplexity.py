"""What listening has cost: the perplexity of texts to a language model before its training and after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

from catalogs.errors import DataLeak, TrainingError
from catalogs.models.pretrained import device_of
from catalogs.progress import Progress
from catalogs.stage import Outcome, batched
from catalogs.text import normalise
from training import checkpoint
from training.evaluation.leaks import had_by
from training.evaluation.log_probs import log_probs
from training.evaluation.trained import loaded_from
from training.interleaving.packing import Packable
from training.padding import IGNORED
from training.speech_llm import SpeechLlm
from training.template import Words
from training.texts import texts_in

_CONTEXT, _AT_ONCE = 1024, 4


@dataclass(frozen=True, slots=True)
class Perplexity:
    """Of ``num_texts`` texts, per token, ``before`` training and ``after``; ``left_out`` were known from training."""

    before: float
    after: float
    num_texts: int
    num_tokens: int
    left_out: int


def perplexity(folder: Path, file: Path, *, progress: Progress, language: str = "en") -> Perplexity:
    """The perplexity of a file with a text on each line, to the language model of a checkpoint and as it came.

    Of a text longer than 1,023 tokens its beginning counts.

    Raises:
        TrainingError: if the file has no text, or the checkpoint no language model.
        DataLeak: if training has had all texts.
    """
    texts = texts_in(file, source="perplexity")
    had = had_by(folder)["texts"]
    unseen = [text for text in texts if normalise(text, language) not in had]
    if not unseen:
        raise DataLeak(f"all {len(texts):,} texts of {file} are known from training; name a file of other ones")
    found, recipe, _, objective = loaded_from(folder)
    module, template = objective.module, getattr(objective, "template", None)
    if not isinstance(module, SpeechLlm) or template is None:
        raise TrainingError(f"{found.folder} is of method {recipe.objective.method!r}, which has no language model")
    module.eval().to(device_of("auto"))
    sequences = [_read(text, template.words) for text in unseen]
    num_tokens = sum(sum(label != IGNORED for label in sequence.labels) for sequence in sequences)
    progress.start("reading, twice", 2 * len(sequences))
    before = _mean(module.lm, sequences, num_tokens, progress)
    checkpoint.restore(found, objective.trained())
    after = _mean(module.lm, sequences, num_tokens, progress)
    progress.finish()
    return Perplexity(before, after, len(unseen), num_tokens, len(texts) - len(unseen))


def _read(text: str, words: Words) -> Packable:
    begin = words.eos_id if words.bos_id is None else words.bos_id
    tokens = words.tokens(text)[: _CONTEXT - 1]
    return Packable([begin, *tokens], [-1] * (len(tokens) + 1), [IGNORED, *tokens])


def _mean(lm: Any, sequences: Sequence[Packable], num_tokens: int, progress: Progress) -> float:
    width = lm.get_input_embeddings().weight
    total = 0.0
    for part in batched(sequences, _AT_ONCE):
        total += sum(log_probs(lm, part, width.new_zeros(0, width.shape[1]), context=_CONTEXT))
        progress.receive(Outcome(items=len(part)))
    return exp(-total / num_tokens)
