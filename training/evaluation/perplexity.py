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
from catalogs.text import primary
from training import checkpoint
from training.evaluation.leaks import marks_of, sets_had, text_marks
from training.evaluation.log_probs import log_probs
from training.evaluation.trained import loaded_from
from training.interleaving.apart import check_apart, room_in
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


@dataclass(frozen=True, slots=True)
class _Known:
    """The texts that training has had, normalised, and the languages that they were normalised in."""

    texts: frozenset[str]
    languages: tuple[str, ...]

    def has(self, text: str) -> bool:
        """Whether a text, whose language nobody names, is one of them in any of these languages."""
        return any(mark in self.texts for language in self.languages for mark in text_marks(text, language))


def perplexity(folder: Path, file: Path, *, progress: Progress) -> Perplexity:
    """The perplexity of a file with a text on each line, to the language model of a checkpoint and as it came.

    Of a text longer than 1,023 tokens, or than the language model can read, its beginning counts. A text is known from
    training if it is the same as one of there when both are normalised, in any language that training has had.

    Raises:
        TrainingError: if the file has no text, or the checkpoint no language model that can be asked.
        DataLeak: if training has had all texts.
    """
    texts = texts_in(file, source="perplexity")
    known = _known_from(folder)
    unseen = [text for text in texts if not known.has(text)]
    if not unseen:
        raise DataLeak(f"all {len(texts):,} texts of {file} are known from training; name a file of other ones")
    found, recipe, _, objective = loaded_from(folder)
    module, template = objective.module, getattr(objective, "template", None)
    if not isinstance(module, SpeechLlm) or template is None:
        raise TrainingError(f"{found.folder} is of method {recipe.objective.method!r}, which has no language model")
    module.eval().to(device_of("auto"))
    check_apart(module.lm)
    context = min(_CONTEXT, room_in(module.lm) or _CONTEXT)
    sequences = [_read(text, template.words, context=context) for text in unseen]
    num_tokens = sum(sum(label != IGNORED for label in sequence.labels) for sequence in sequences)
    progress.start("reading, twice", 2 * len(sequences))
    before = _mean(module.lm, sequences, num_tokens, context=context, progress=progress)
    checkpoint.restore(found, objective.trained())
    after = _mean(module.lm, sequences, num_tokens, context=context, progress=progress)
    progress.finish()
    return Perplexity(before, after, len(unseen), num_tokens, len(texts) - len(unseen))


def _known_from(folder: Path) -> _Known:
    """What a checkpoint was trained on or chosen by. Raises as `training.evaluation.leaks.had_by` does."""
    texts: set[str] = set()
    languages: set[str] = set()
    for _, members in sets_had(folder):
        for member in members:
            languages.add(primary(member.language))
            texts.update(mark for kind, mark in marks_of(member) if kind == "texts")
    return _Known(frozenset(texts), tuple(sorted(languages)))


def _read(text: str, words: Words, *, context: int) -> Packable:
    begin = words.eos_id if words.bos_id is None else words.bos_id
    tokens = words.tokens(text)[: context - 1]
    return Packable([begin, *tokens], [-1] * (len(tokens) + 1), [IGNORED, *tokens])


def _mean(lm: Any, sequences: Sequence[Packable], num_tokens: int, *, context: int, progress: Progress) -> float:
    width = lm.get_input_embeddings().weight
    total = 0.0
    for part in batched(sequences, _AT_ONCE):
        total += sum(log_probs(lm, part, width.new_zeros(0, width.shape[1]), context=context))
        progress.receive(Outcome(items=len(part)))
    return exp(-total / num_tokens)
