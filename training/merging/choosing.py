"""Lambda, chosen without real speech of the target: every source domain once takes the target's place.

The model of synthetic speech of the domain that is left out gets lambda times what the other domains' vectors become,
and hears that domain's real development takes. Sources that share real speech are one domain, read by several engines
or trained several times: all of them are left out at once. The lambda with the best mean over domains is taken, of
error rates relative to a domain's own, so that a hard domain counts for no more than an easy one; nothing of the target
is heard, neither its takes nor its model, and takes that say its texts are refused (`devs`).
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean

from catalogs.errors import TrainingError
from catalogs.progress import Progress
from catalogs.stage import Outcome
from training.evaluation.report import EvaluationConfig, evaluate
from training.merging.composing import Mixture, mixture_of, write
from training.merging.parts import Source
from training.merging.readings import speech_of
from training.merging.recipe import ChoosingConfig, DevConfig, MergeConfig


@dataclass(frozen=True, slots=True)
class Choice:
    """How one source's model, left out and merged with the others' vector, hears its real takes at one lambda.

    ``low`` and ``high`` bound the 95 % interval of its word error rate, over speakers, or utterances of one.
    """

    source: str
    scale: float
    wer: float
    low: float | None
    high: float | None
    num_takes: int
    num_words: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """The lambda that was found, and all that was tried."""

    scale: float
    choices: tuple[Choice, ...]


def choose(config: MergeConfig, sources: Sequence[Source], *, progress: Progress) -> Chosen:
    """Try every lambda of the grid on every source; what was heard is kept in the corpora, and not heard again.

    Raises:
        TrainingError: if vectors do not belong to a source's model, or a take cannot be heard.
        DataLeak: if development takes share something with what a model was trained on.
    """
    settings = config.choosing or ChoosingConfig()
    devs = {source.domain: source.dev for source in config.sources if source.dev is not None}
    progress.start("choosing lambda, models", len(sources) * len(settings.grid))
    choices = []
    for left_out in sorted(sources, key=lambda source: source.name):
        others = _others(sources, left_out)
        mixture = mixture_of(left_out.synthetic, others, config)
        for choice in _tried(mixture, left_out.name, devs[left_out.name], config=config, settings=settings):
            choices.append(choice)
            progress.receive(Outcome(items=1), remark=f"{choice.source} {choice.scale:g}: {choice.wer:.3f}")
    progress.finish()
    return chosen_of(choices)


def _others(sources: Sequence[Source], left_out: Source) -> list[Source]:
    """The sources of all other domains: those that have had none of what makes this one real.

    Raises:
        TrainingError: if there are none.
    """
    own = speech_of(left_out.real.found) - speech_of(left_out.synthetic.found)
    model = left_out.real.pin["sha256"]
    others = [s for s in sources if s.real.pin["sha256"] != model and not own & speech_of(s.real.found)]
    if not others:
        raise TrainingError(
            f"lambda cannot be chosen: all other sources have real speech of {left_out.name!r}, so that leaving its "
            "domain out leaves nothing; add a source of another domain, or give `scale`"
        )
    return others


def chosen_of(choices: Sequence[Choice]) -> Chosen:
    """The lambda with the lowest `relative_wers`; of several the smallest."""
    means = relative_wers(choices)
    return Chosen(min(means, key=lambda scale: (means[scale], abs(scale))), tuple(choices))


def relative_wers(choices: Sequence[Choice]) -> dict[float, float]:
    """The mean over sources of the word error rate at each lambda, each over the source's own mean over all lambdas.

    A source without an error at any lambda counts as 1 at each.
    """
    own: dict[str, list[float]] = {}
    for choice in choices:
        own.setdefault(choice.source, []).append(choice.wer)
    usual = {source: mean(wers) for source, wers in own.items()}
    by_scale: dict[float, list[float]] = {}
    for choice in sorted(choices, key=lambda choice: choice.scale):
        relative = choice.wer / usual[choice.source] if usual[choice.source] else 1.0
        by_scale.setdefault(choice.scale, []).append(relative)
    return {scale: mean(wers) for scale, wers in by_scale.items()}


def lines(choices: Sequence[Choice]) -> str:
    """The choices as JSON lines."""
    return "".join(json.dumps(asdict(choice)) + "\n" for choice in choices)


def _tried(
    mixture: Mixture, name: str, dev: DevConfig, *, config: MergeConfig, settings: ChoosingConfig
) -> Iterator[Choice]:
    """One choice for each lambda; merged models are removed when they have heard.

    Without lambda it is the target itself that hears, and what it has heard counts for every vector.
    """
    asked = EvaluationConfig(
        Path(dev.corpus).expanduser(),
        dev.release,
        split=dev.split,
        beams=settings.beams,
        only_unseen=settings.only_unseen,
    )
    is_plain = not config.scales and config.rank is None and not settings.only_unseen  # so all hear the same takes
    folder = config.path.with_name(f".{config.path.name}.choosing")
    for scale in settings.grid:
        if scale == 0 and is_plain:
            yield _heard(mixture.target.folder, name, scale, asked)
            continue
        shutil.rmtree(folder, ignore_errors=True)
        without = f"{config.name}-without-{name}-at-{scale:g}"
        named = replace(config, name=without, folder=str(folder), scale=scale, choosing=None)
        write(mixture, named, scale)
        try:
            yield _heard(str(folder), name, scale, asked)
        finally:
            shutil.rmtree(folder)


def _heard(folder: str, name: str, scale: float, asked: EvaluationConfig) -> Choice:
    report = evaluate([folder], asked, progress=Progress(quiet=True))
    (system,) = report.systems
    if system.failures:
        first = system.failures[0]
        raise TrainingError(
            f"lambda cannot be chosen: {len(system.failures):,} takes of {asked.release!r} could not be heard, "
            f"{first.subject_id} first: {first.message}"
        )
    every = system.subsets[0]
    (wer,) = (figure for figure in every.figures if figure.name == "wer")
    return Choice(name, scale, wer.value, wer.low, wer.high, every.num_utterances, every.num_words)
