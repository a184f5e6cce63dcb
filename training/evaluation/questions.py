"""Multiple-choice questions, heard and read: which answer a language model that listens finds most probable.

Of an answer's tokens the mean log probability counts, so that a long answer is as good as a short one. What is asked is
the same in both: only that audio stands where the text of the question would. Intervals resample questions, each with
all its readings.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from catalogs.catalog import Catalog
from catalogs.errors import TrainingError
from catalogs.ingest.cells import clean_text
from catalogs.ingest.rows import RowError
from catalogs.models.pretrained import device_of
from catalogs.progress import Progress
from catalogs.release import release_named
from catalogs.stage import Outcome, batched
from training import checkpoint
from training.evaluation.leaks import had_by, overlaps, refuse
from training.evaluation.log_probs import log_probs
from training.evaluation.resampling import REPLICATES, Groups, Interval, interval, ratio, replicates
from training.evaluation.trained import loaded_from
from training.interleaving.apart import check_apart
from training.interleaving.packing import Packable
from training.members import Member, members_in
from training.objective import Utterance
from training.padding import IGNORED, num_slots, pad_features
from training.sampling import Draw
from training.speech_llm import SpeechLlm
from training.template import Template, TokenTemplate, Words
from training.texts import texts_in

LEAD = "Question: "
TEMPLATE = Template(order=f"<BOS>{LEAD}<S>\nAnswer: <T><EOS>")
_AT_ONCE = 8
_MAX_CHARS = 100_000


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its answers, and which of them is right, counted from 0; texts in the one form of `clean_text`."""

    text: str
    choices: tuple[str, ...]
    answer: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one reading of a question: whether it was answered right from speech, and from text."""

    question: str
    heard: bool
    read: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """Shares of readings answered right, from speech and from text, and speech less text.

    ``chance`` is what guessing comes to. A gap says something only where ``is_above_chance``: the interval of text less
    chance does not reach 0. ``num_unread`` questions of the file are read by no take, and in no figure.
    """

    num_questions: int
    num_readings: int
    speech: Interval
    text: Interval
    gap: Interval
    chance: float
    is_above_chance: bool
    readings: tuple[Reading, ...] = ()
    num_unread: int = 0


def ask(
    folder: Path, corpus: Path, release: str, file: Path, *, progress: Progress, number: int = REPLICATES
) -> Answered:
    """Ask a checkpoint the questions of a file that takes of a release read; how many none reads is told.

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
    num_unread = _tell_of_unread(questions, members, release, progress)
    refuse(overlaps(members, had_by(folder)), release=release, num_takes=len(members), with_options=False)
    made, recipe, inputs, objective = loaded_from(folder)
    module, template = objective.module, getattr(objective, "template", None)
    if not isinstance(module, SpeechLlm) or not isinstance(template, TokenTemplate):
        raise TrainingError(f"{made.folder} is of method {recipe.objective.method!r}, which has no language model")
    checkpoint.restore(made, objective.trained())
    module.eval().to(device_of("auto"))
    check_apart(module.lm)
    draws = [Draw(member, 0) for member in members]
    inputs.prepare(draws, progress)
    asking = Asking(module, template.words)
    progress.start("asking", len(draws))
    rows = []
    for part in batched(draws, _AT_ONCE):
        rows += [asking.is_right(questions[utterance.text], utterance) for utterance in inputs.utterances(part)]
        progress.receive(Outcome(items=len(part)))
    progress.finish()
    answered = figures([questions[member.text] for member in members], rows, number=number)
    return replace(answered, num_unread=num_unread)


def _tell_of_unread(questions: Collection[str], members: Sequence[Member], release: str, progress: Progress) -> int:
    """How many questions no take reads; people are told."""
    read = {member.text for member in members}
    unread = [text for text in questions if text not in read]
    if unread:
        of = f"{len(unread):,} of {len(questions):,} questions, {unread[0]!r} first"
        progress.note(f"{of}, are read by no take of release {release!r}: they are not asked")
    return len(unread)


def questions_in(file: Path) -> list[Question]:
    """The questions of a file of JSON lines with ``text``, ``choices`` and ``answer``, the place of the right choice.

    Raises:
        TrainingError: if it cannot be read, or a line is no question, or one that is there already.
    """
    places: dict[str, int] = {}
    found = []
    for n, line in enumerate(texts_in(file, source="questions"), 1):
        question = _question(line, f"{file}, question {n}")
        if (first := places.setdefault(question.text, n)) != n:
            raise TrainingError(
                f"{file}, question {n}: {question.text!r} is question {first} as well; a take that reads it cannot "
                f"tell the two apart: leave one out"
            )
        found.append(question)
    return found


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
        readings=tuple(Reading(question.text, *row) for question, row in zip(questions, rows, strict=True)),
    )


class Asking:
    """A model, restored and at rest, and how a question is put to it."""

    def __init__(self, module: SpeechLlm, words: Words) -> None:
        self._module, self._template = module, TEMPLATE.compile(words)
        self._begin = () if words.bos_id is None else (words.bos_id,)

    def is_right(self, question: Question, utterance: Utterance) -> tuple[bool, bool]:
        """Whether the right answer is the most probable one from speech, and from text."""
        slots = self._slots(utterance)
        before, words = self._template.before, self._template.words
        heard = [self._put([*before, *[-1] * len(slots)], choice) for choice in question.choices]
        asked = [*self._begin, *words.tokens(LEAD + question.text)]  # in one, or a space would stand alone before it
        read = [self._put(asked, choice) for choice in question.choices]
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
        """A question with what is before it, and one answer, which is what has labels; -1 is a slot of audio."""
        after, answer = self._template.after, self._template.answer(choice)
        ids = [*[self._template.eos if token < 0 else token for token in asked], *after, *answer]
        heard = count()
        slots = [next(heard) if token < 0 else -1 for token in asked]
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
    if not isinstance(choices, list) or len(choices) < 2:
        raise TrainingError(f"{where}: choices must be two texts or more")
    try:
        text, *choices = (clean_text(value, max_chars=_MAX_CHARS) for value in (table["text"], *choices))
    except RowError as error:
        raise TrainingError(f"{where}: text and choices must be texts: {error}") from error
    if repeated := next((choice for n, choice in enumerate(choices) if choice in choices[:n]), None):
        raise TrainingError(f"{where}: {repeated!r} is a choice twice; nobody can tell the two apart")
    if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer < len(choices):
        raise TrainingError(f"{where}: answer = {answer!r}: expected the place of a choice, from 0")
    return Question(text, tuple(choices), answer)


def _there(found: Interval | None) -> Interval:
    if found is None:
        raise TrainingError("no question was answered")
    return found
