"""Lambda is chosen on the sources that are left out, and what is chosen is the best by construction."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from catalogs.config import parse
from catalogs.errors import TrainingError
from catalogs.ids import content_id
from catalogs.progress import SILENT
from catalogs.records import Failure
from training import checkpoint
from training.checkpoint import Position
from training.evaluation.figures import Figure as Rate
from training.evaluation.figures import Subset
from training.evaluation.report import EvaluationConfig, Report, System
from training.merging import choosing, plots
from training.merging.choosing import Choice, choose, chosen_of, relative_wers
from training.merging.parts import Source, load_source
from training.merging.plots import plot_choosing
from training.merging.recipe import MergeConfig
from training.merging.telling import told_choices

STEPS = {"cooking": 1.0, "email": 1.0, "music": 2.0}
"""How far real speech is from synthetic in each domain, along one direction."""

DIRECTION = torch.tensor([3.0, -4.0, 0.0, 12.0]) / 13
GRID = [0.0, 0.5, 0.75, 1.0, 1.5, 2.0]


def write(folder: Path, name: str, weight: Tensor, *, releases: Sequence[dict[str, str]] = ()) -> str:
    provenance = {
        "training": content_id("training", name), "recipe": {"name": name, "data": [], "objective": {"method": "ctc"}},
        "releases": list(releases), "base": {"id": "base", "root": "base", "started_from": {}},
    }  # fmt: skip
    trained = {"weight": nn.Parameter(weight)}
    return str(
        checkpoint.save(folder / name, Position(1), trained=trained, optimizer=None, provenance=provenance).folder
    )


@pytest.fixture
def config(tmp_path: Path) -> MergeConfig:
    sources = []
    for seed, (name, step) in enumerate(STEPS.items()):
        synthetic = torch.randn(4, generator=torch.Generator().manual_seed(seed))
        pair = {"synthetic": synthetic, "real": synthetic + step * DIRECTION}
        folders = {role: write(tmp_path, f"{name}-{role}", weight) for role, weight in pair.items()}
        sources.append({"name": name, **folders, "dev": {"corpus": "none", "release": name}})
    table = {"name": "merged", "folder": str(tmp_path / "merged"), "target": "nowhere", "sources": sources}
    return parse(MergeConfig, table | {"choosing": {"grid": GRID}}, source="test")


@pytest.fixture
def sources(config: MergeConfig) -> list[Source]:
    return [load_source(each.domain, each.real, each.synthetic) for each in config.sources]


@pytest.fixture
def heard(config: MergeConfig, sources: Sequence[Source], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Instead of hearing takes: how far a model's weights are from those of real speech, which is its error rate."""
    asked: list[str] = []

    def distance(names: Sequence[str], settings: EvaluationConfig, *, progress: Any) -> Report:
        source = next(source for source in sources if source.name == settings.release)
        weight = checkpoint.load(Path(names[0])).trained()["weight"]
        asked.append(names[0])
        wer = float((weight - source.real.weights["weight"]).norm())
        return report(wer, settings.release)

    monkeypatch.setattr(choosing, "evaluate", distance)
    return asked


def report(wer: float, release: str, failures: tuple[Failure, ...] = ()) -> Report:
    subset = Subset("", 10, 30, 2, "speakers", (Rate("", "wer", wer, wer - 0.1, wer + 0.1),))
    system = System("m@1", "e", "r", "{}", is_guarded=True, subsets=(subset,), failures=failures)
    return Report(release, "id", None, 10, 0, (system,), None)


def test_the_source_that_is_left_out_gets_the_others_vector_alone(
    config: MergeConfig, sources: list[Source], heard: list[str]
) -> None:
    found = choose(config, sources, progress=SILENT)

    for name, step in STEPS.items():
        others = [each for other, each in STEPS.items() if other != name]
        wers = {choice.scale: choice.wer for choice in found.choices if choice.source == name}
        for scale, wer in wers.items():
            assert wer == pytest.approx(abs(step - scale * sum(others) / len(others)), abs=1e-5)
    assert len(heard) == len(STEPS) * len(GRID)


def test_without_lambda_the_model_that_is_left_out_hears_by_itself(
    config: MergeConfig, sources: list[Source], heard: list[str]
) -> None:
    choose(config, sources, progress=SILENT)

    merged = f".{config.path.name}.choosing"
    assert {folder for folder in heard if Path(folder).name != merged} == {each.synthetic.folder for each in sources}
    assert sum(Path(folder).name == merged for folder in heard) == len(STEPS) * (len(GRID) - 1)


def test_a_domain_that_two_engines_have_read_is_left_out_with_both(
    config: MergeConfig, sources: list[Source], heard: list[str], tmp_path: Path
) -> None:
    cooking = next(source for source in sources if source.name == "cooking")
    folder = write(tmp_path, "cooking-other", cooking.synthetic.weights["weight"] + 5.0)
    again = load_source("cooking-other", str(config.sources[0].real), folder)
    dev = replace(config.sources[0], name="cooking-other", synthetic=folder)
    everything = replace(config, sources=(*config.sources, dev))

    found = choose(everything, [*sources, again], progress=SILENT)

    alone = choose(config, sources, progress=SILENT)
    assert by_cooking(found.choices) == by_cooking(alone.choices)
    with pytest.raises(TrainingError, match="all other sources have real speech of 'cooking'"):
        choose(everything, [cooking, again], progress=SILENT)


def test_a_domain_whose_real_speech_was_trained_on_twice_is_left_out_with_both(
    config: MergeConfig, sources: list[Source], heard: list[str], tmp_path: Path
) -> None:
    cooking, email, music = sources
    release = [{"id": content_id("release", "cooking-real")}]
    once, twice = (
        write(tmp_path, f"cooking-{n}", cooking.real.weights["weight"] + n * DIRECTION, releases=release)
        for n in range(2)
    )
    before = load_source("cooking", once, cooking.synthetic.folder)
    again = load_source("cooking-again", twice, cooking.synthetic.folder)
    dev = replace(config.sources[0], name="cooking-again")

    found = choose(replace(config, sources=(*config.sources, dev)), [before, again, email, music], progress=SILENT)

    alone = choose(config, [before, email, music], progress=SILENT)
    assert by_cooking(found.choices) == by_cooking(alone.choices)


def by_cooking(choices: Sequence[Choice]) -> list[Choice]:
    return [choice for choice in choices if choice.source == "cooking"]


def test_the_lambda_of_the_best_mean_is_taken(config: MergeConfig, sources: list[Source], heard: list[str]) -> None:
    found = choose(config, sources, progress=SILENT)

    means = relative_wers(found.choices)
    assert list(means) == GRID
    # |1 - 1.5 x| twice and |2 - x| once have the least sum at x = 2/3, and of the grid at 0.75
    assert found.scale == 0.75
    usual = [sum(abs(1 - 1.5 * x) for x in GRID) / len(GRID), sum(abs(2 - x) for x in GRID) / len(GRID)]
    assert means[0.75] == pytest.approx((2 * 0.125 / usual[0] + 1.25 / usual[1]) / 3, abs=1e-5)


def test_a_domain_whose_errors_are_many_decides_no_more_than_the_others() -> None:
    rows = [("easy", (0.04, 0.02, 0.04)), ("plain", (0.2, 0.1, 0.2)), ("hard", (3.5, 3.6, 3.2)), ("none", (0, 0, 0))]
    choices = [
        Choice(source, scale, wer, None, None, 10, 10)
        for source, wers in rows
        for scale, wer in zip((0.0, 0.5, 1.0), wers, strict=True)
    ]

    assert chosen_of(choices).scale == 0.5
    assert relative_wers([choice for choice in choices if choice.source == "none"]) == {0.0: 1.0, 0.5: 1.0, 1.0: 1.0}


def test_it_is_told_in_how_many_words_one_lambda_differs_from_another() -> None:
    choices = [
        Choice(source, scale, wrong / words, None, None, 6, words)
        for source, words, of_scale in [("cooking", 193, (15, 14)), ("email", 16, (15, 15))]
        for scale, wrong in zip((0.0, 0.5), of_scale, strict=True)
    ]

    _, without, half = told_choices(choices)

    assert without.split() == ["0", "1.0172", "30", "of", "209"]
    assert half.split()[2:] == ["29", "of", "209"]


def test_the_order_of_sources_makes_no_difference(config: MergeConfig, sources: list[Source], heard: list[str]) -> None:
    assert choose(config, sources, progress=SILENT) == choose(config, sources[::-1], progress=SILENT)


def test_nothing_of_what_was_tried_stays_and_the_target_is_not_looked_at(
    config: MergeConfig, sources: list[Source], heard: list[str], tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())

    choose(config, sources, progress=SILENT)

    assert sorted(tmp_path.iterdir()) == before
    assert not Path(config.target).exists()


def test_takes_that_cannot_be_heard_are_no_error_rate(
    config: MergeConfig, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = Failure("evaluate", "take-7", 1, "AudioError", "it is gone")
    monkeypatch.setattr(choosing, "evaluate", lambda *_, **__: report(0.1, "cooking", (failure,)))

    with pytest.raises(TrainingError, match="1 takes of 'cooking' could not be heard, take-7 first: it is gone"):
        choose(config, sources, progress=SILENT)


def test_the_curve_is_drawn_and_the_same_rows_are_the_same_bytes(
    config: MergeConfig, sources: list[Source], heard: list[str], tmp_path: Path
) -> None:
    found = choose(config, sources, progress=SILENT)

    for name in ("one.svg", "other.svg"):
        plot_choosing(found.choices, found.scale, tmp_path / name)

    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_the_lambda_that_is_marked_is_the_lowest_of_what_it_is_chosen_by(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The plain mean, which one hard source decides, is lowest elsewhere."""
    rows = [("easy", (0.04, 0.02, 0.04)), ("hard", (3.5, 3.6, 3.2))]
    choices = [
        Choice(source, scale, wer, None, None, 10, 10)
        for source, wers in rows
        for scale, wer in zip((0.0, 0.5, 1.0), wers, strict=True)
    ]
    drawn: list[Figure] = []
    monkeypatch.setattr(plots, "save", lambda figure, _: drawn.append(figure))

    plot_choosing(choices, chosen_of(choices).scale, tmp_path / "choosing.svg")
    plot_choosing(choices, None, tmp_path / "curve.svg")

    rates, means = drawn[0].axes
    line, mark = means.lines
    scales, values = line.get_data()
    assert scales[np.argmin(values)] == 0.5
    assert list(mark.get_xdata()) == [0.5, 0.5]
    assert [each.get_label() for each in rates.lines] == ["easy", "hard"]
    (curve,) = drawn[1].axes
    assert list(curve.lines[-1].get_ydata()) == pytest.approx([1.77, 1.81, 1.62])
