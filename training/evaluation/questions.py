"""Multiple-choice questions, heard and read: which answer a language model that listens finds most probable.

Of an answer's tokens the mean log probability counts, so that a long answer is as good as a short one. What is asked is
the same in both: only that audio stands where the text of the question would. Intervals resample questions, each with
all its readings.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from catalogs.catalog import Catalog
from catalogs.errors import TrainingError
from catalogs.models.pretrained import device_of
from catalogs.progress import Progress
from catalogs.release import release_named
from catalogs.stage import Outcome, batched
from training import checkpoint
from training.evaluation.leaks import had_by, overlaps, refuse
from training.evaluation.log_probs import log_probs
from training.evaluation.resampling import REPLICATES, Groups, Interval, interval, ratio, replicates
from training.evaluation.trained import loaded_from
from training.interleaving.packing import Packable
from training.members import members_in
from training.objective import Utterance
from training.padding import IGNORED, num_slots, pad_features
from training.sampling import Draw
from training.speech_llm import SpeechLlm
from training.template import Template, TokenTemplate
from training.texts import texts_in

TEMPLATE = Template(order="<BOS>Question: <S>\nAnswer: <T><EOS>")
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its answers, and which of them is right, counted from 0."""

    text: str
    choices: tuple[str, ...]
    answer: int


@dataclass(frozen=True, slots=True)
class Answered:
    """Shares of readings answered right, from speech and from text, and speech less text.

    ``chance`` is what guessing comes to. A gap says something only where ``is_above_chance``: the interval of text less
    chance does not reach 0.
    """

    num_questions: int
    num_readings: int
    speech: Interval
    text: Interval
    gap: Interval
    chance: float
    is_above_chance: bool


def ask(
    folder: Path, corpus: Path, release: str, file: Path, *, progress: Progress, number: int = REPLICATES
) -> Answered:
    """Ask a checkpoint the questions of a file that takes of a release read.

    Raises:
        TrainingError: if the file has no questions, none of them is read in the release, or the checkpoint does not
            listen by a language model.
        DataLeak: if training has had takes, speakers or texts of them.
    """
    questions = {question.text: question for question in questions_in(file)}
    with Catalog.open(corpus) as catalog:
        found = members_in(catalog, release_named(catalog, release), split=None)
    members = [member for member in found if member.text in questions]
    if not members:
        raise TrainingError(f"no take of release {release!r} in {corpus} reads a question of {file}, word for word")
    refuse(overlaps(members, had_by(folder)), release=release, num_takes=len(members))
    made, recipe, inputs, objective = loaded_from(folder)
    module, template = objective.module, getattr(objective, "template", None)
    if not isinstance(module, SpeechLlm) or not isinstance(template, TokenTemplate):
        raise TrainingError(f"{made.folder} is of method {recipe.objective.method!r}, which has no language model")
    checkpoint.restore(made, objective.trained())
    module.eval().to(device_of("auto"))
    draws = [Draw(member, 0) for member in members]
    inputs.prepare(draws, progress)
    asking = Asking(module, TEMPLATE.compile(template.words))
    progress.start("asking", len(draws))
    rows = []
    for part in batched(draws, _AT_ONCE):
        rows += [asking.is_right(questions[utterance.text], utterance) for utterance in inputs.utterances(part)]
        progress.receive(Outcome(items=len(part)))
    progress.finish()
    return figures([questions[member.text] for member in members], rows, number=number)


def questions_in(file: Path) -> list[Question]:
    """The questions of a file of JSON lines with ``text``, ``choices`` and ``answer``, the place of the right choice.

    Raises:
        TrainingError: if it cannot be read, or a line is no question.
    """
    return [_question(line, f"{file}, question {n}") for n, line in enumerate(texts_in(file, source="questions"), 1)]


def figures(questions: Sequence[Question], rows: Sequence[tuple[bool, bool]], *, number: int) -> Answered:
    """The figures of readings: the question of each, and whether it was answered right from speech and from text."""
    groups = Groups(np.unique([question.text for question in questions], return_inverse=True)[1], "utterances")
    values = [
        (heard, read, heard - read, read - 1 / len(question.choices), 1.0)
        for question, (heard, read) in zip(questions, np.asarray(rows, dtype=np.float64), strict=True)
    ]
    sums = groups.sums(np.array(values))
    drawn = replicates(sums, number=number)
    speech, text, gap, above = (_there(interval(ratio(place, 4), sums, drawn)) for place in range(4))
    return Answered(
        num_questions=groups.number,
        num_readings=len(questions),
        speech=speech,
        text=text,
        gap=gap,
        chance=text.value - above.value,
        is_above_chance=above.low is not None and above.low > 0,
    )


class Asking:
    """A model, restored and at rest, and how a question is put to it."""

    def __init__(self, module: SpeechLlm, template: TokenTemplate) -> None:
        self._module, self._template = module, template

    def is_right(self, question: Question, utterance: Utterance) -> tuple[bool, bool]:
        """Whether the right answer is the most probable one from speech, and from text."""
        slots = self._slots(utterance)
        heard = [self._put([-1] * len(slots), choice) for choice in question.choices]
        words = self._template.words.tokens(question.text)
        read = [self._put(words, choice) for choice in question.choices]
        sequences = [*heard, *read]
        context = max(len(sequence.ids) for sequence in sequences)
        sums = log_probs(self._module.lm, sequences, slots.repeat(len(heard), 1), context=context)
        means = [
            total / sum(label != IGNORED for label in sequence.labels)
            for total, sequence in zip(sums, sequences, strict=True)
        ]
        of_speech, of_text = means[: len(heard)], means[len(heard) :]
        return (int(np.argmax(of_speech)) == question.answer, int(np.argmax(of_text)) == question.answer)

    def _slots(self, utterance: Utterance) -> Tensor:
        projector = self._module.projector
        count = num_slots(projector, utterance)
        device = next(projector.parameters()).device
        heard = {name: tensor.to(device) for name, tensor in pad_features([utterance]).items()}
        with torch.inference_mode():
            projected: Tensor = projector(heard["features"], heard["lengths"])
        return projected[0, :count]

    def _put(self, asked: Sequence[int], choice: str) -> Packable:
        """A question and one answer, which is what has labels; -1 in the question is a slot of audio."""
        before, after = self._template.before, self._template.after
        answer = self._template.answer(choice)
        ids = [*before, *[self._template.eos if token < 0 else token for token in asked], *after, *answer]
        heard = iter(range(len(asked)))
        slots = [*[-1] * len(before), *[next(heard) if token < 0 else -1 for token in asked]]
        labels = [*[IGNORED] * (len(ids) - len(answer)), *answer]
        return Packable(ids, [*slots, *[-1] * (len(after) + len(answer))], labels)


def _question(line: str, where: str) -> Question:
    try:
        table = json.loads(line)
    except json.JSONDecodeError as error:
        raise TrainingError(f"{where} is no JSON: {error}") from error
    if not isinstance(table, Mapping) or not {"text", "choices", "answer"} <= table.keys():
        raise TrainingError(f"{where}: expected an object with text, choices and answer")
    choices, answer = table["choices"], table["answer"]
    if not isinstance(choices, list) or len(choices) < 2 or not all(isinstance(c, str) and c.strip() for c in choices):
        raise TrainingError(f"{where}: choices must be two texts or more")
    if not isinstance(answer, int) or not 0 <= answer < len(choices):
        raise TrainingError(f"{where}: answer = {answer!r}: expected the place of a choice, from 0")
    return Question(str(table["text"]), tuple(choices), answer)


def _there(found: Interval | None) -> Interval:
    if found is None:
        raise TrainingError("no question was answered")
    return found
