"""The plot of erosion: points as `synthgen erosion` stores them, and where a figure leaves its baseline."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.catalog import Catalog
from catalogs.records import SetScore
from catalogs.release import freeze
from curation.bootstrap import Estimate
from curation.production import Production
from curation.recipe import Recipe
from curation.report.erosion import Series, series_of
from curation.report.erosion_plots import erosion_plots, point_rows
from curation.report.findings import PointFigure
from curation.report.writing import write_report
from curation.sets.erosion import Point, set_scores

EVIL = '<img src=x onerror="alert(1)">'


def row(subset: str, value: float, *, alpha: float = 1.0, release: str | None = None, **changes) -> PointFigure:
    """A stored F0 spread, known to within 0.1 semitones."""
    found = PointFigure(
        set_id=release or "job", release=release, subset=subset, version=f"2/{subset or release}", alpha=alpha,
        num_takes=100, metric="f0_sd_st", value=value, num_items=100, low=value - 0.1, high=value + 0.1,
    )  # fmt: skip
    return replace(found, **changes)


def stretches(*values: float, size: int = 100) -> list[PointFigure]:
    return [row(f"takes {n * size + 1}-{(n + 1) * size}", value) for n, value in enumerate(values)]


def only(rows: Sequence[PointFigure]) -> Series:
    (series,) = series_of(rows)
    return series


def test_a_job_of_one_share_goes_along_its_takes_and_a_figure_leaves_at_a_stretch() -> None:
    series = only(stretches(3.0, 3.0, 2.0, 2.9))

    (plot,) = erosion_plots(series)

    assert (series.axis, series.places) == ("takes so far (α 100%)", (100, 200, 300, 400))
    assert [mark.has_left for mark in series.marks(plot.figure)] == [False, False, True, False]
    assert plot.left is not None
    assert plot.left.point == "takes 201-300"
    assert series.place_of(plot.left) == 300
    assert "left at takes 201-300" in plot.drawn
    assert plot.drawn.count('class="mark out"') == 1
    assert plot.drawn.count('class="mark all"') == 1


def test_where_the_share_differs_it_is_the_axis_and_the_crossing_lies_between_two_points() -> None:
    rows = [row("", v, alpha=a, release=f"r{a}") for a, v in ((0.9, 1.0), (0.0, 3.0), (0.5, 2.95))]

    series = only(rows)
    (plot,) = erosion_plots(series)

    assert series.axis == "α, % synthetic"
    assert [point.name for point in series.points] == ["r0.0", "r0.5", "r0.9"]
    assert series.places == (0, 50, 90)
    assert plot.left is not None
    assert 50 < series.place_of(plot.left) < 90
    assert f"left at α {plot.left.alpha:.0%}" in plot.drawn


def test_releases_of_one_share_stand_in_their_order_the_oldest_as_the_baseline() -> None:
    series = only([row("", value, release=name) for name, value in (("old", 3.0), ("b", 3.0), ("a", 1.0))])

    assert [point.name for point in series.points] == ["old", "b", "a"]
    assert [warned.point for warned in series.seen.warnings] == ["a"]


def test_a_steady_corpus_is_drawn_without_a_place_where_it_left() -> None:
    (plot,) = erosion_plots(only(stretches(3.0, 3.02, 2.98)))

    assert plot.left is None
    assert "crossing" not in plot.drawn
    assert "It has not left its baseline" in plot.drawn


def test_each_figure_that_the_baseline_has_is_drawn_with_what_it_was_measured_at() -> None:
    rows = [
        *stretches(3.0, 3.0, 3.0),
        *(replace(r, metric="wer", value=0.1, low=0.09, high=0.11) for r in stretches(0, 0, 0)[::2]),
        replace(stretches(0, 0)[1], metric="token_entropy", value=5.0),
    ]

    series = only(rows)

    assert [plot.figure.name for plot in erosion_plots(series)] == ["wer", "f0_sd_st"]
    assert [found.cells[0][0] for found in point_rows(series)] == ["0.1 (0.09 to 0.11)", "–", "0.1 (0.09 to 0.11)"]


@pytest.mark.parametrize("rows", [[], stretches(3.0), [row("", 3.0, release="only")], [row("voice a", 3.0)] * 3])
def test_without_two_points_there_is_nothing_to_draw(rows: list[PointFigure]) -> None:
    assert series_of(rows) == []


@given(st.permutations([*stretches(3, 3, 3, size=100), *stretches(3, 3, 3, 3, 3, 3, size=50), *stretches(3, size=250)]))
def test_of_several_goes_the_finest_without_a_gap_is_taken_whatever_the_order(rows: list[PointFigure]) -> None:
    series = only(rows)

    assert [point.name for point in series.points] == [f"takes {n + 1}-{n + 50}" for n in range(0, 300, 50)]


def test_points_that_were_made_comparable_otherwise_are_not_drawn_together() -> None:
    spread = [replace(r, version=f"{r.version}/abc") for r in stretches(3.0, 3.0, 3.0, size=100)]

    series = only([*stretches(1.0, 1.0, size=100), *spread])

    assert [point.standard for point in series.points] == ["abc"] * 3
    assert series.seen.warnings == ()


def test_of_releases_the_standard_of_most_is_drawn_and_of_equals_the_latest() -> None:
    def of(standard: str, *names: str) -> list[PointFigure]:
        return [row("", 3.0, release=name, version=f"2/{name}/{standard}") for name in names]

    equal = only([*of("old", "a", "b"), *of("new", "a", "b")])
    more = only([*of("old", "a", "b", "c"), *of("new", "a", "b")])

    assert equal.points[0].standard == "new"
    assert (more.points[0].standard, len(more.points)) == ("old", 3)


def test_points_of_an_earlier_version_are_not_drawn() -> None:
    old = [replace(r, version=r.version.replace("2/", "1/", 1)) for r in stretches(3.0, 1.0)]

    assert series_of(old) == []


def test_a_job_that_grew_is_drawn_to_its_end() -> None:
    series = only([*stretches(3, 3, 3, 3, size=50), *stretches(3, 3, 3, size=100)])

    assert series.points[-1].name == "takes 201-300"


def test_names_are_escaped() -> None:
    series = only([row("", 3.0, release=EVIL), row("", 1.0, release=f"{EVIL}2")])

    (plot,) = erosion_plots(series)

    assert "<img" not in plot.drawn
    assert "&lt;img" in plot.drawn


@pytest.fixture
def done(
    make_recipe: Callable[..., Recipe], produce: Callable[..., Production], tmp_path: Path
) -> Iterator[Production]:
    """A job of two takes, in a corpus of its own."""
    with Catalog.create(tmp_path / "corpus") as catalog:
        production = produce(make_recipe(["pay my bill", "good morning"], name="job & co"), corpus=catalog)
        production.run()
        yield production


def written(production: Production, to: Path) -> str:
    write_report(production.catalog, "job & co", to=to)
    return to.read_text()


def stored(name: str, spread_st: float, similarity: float, *, alpha: float = 1.0) -> Point:
    """A point as it comes from takes, 0.1 semitones and 0.01 either way."""
    figures = {
        "f0_sd_st": Estimate(spread_st, 100, spread_st - 0.1, spread_st + 0.1),
        "speaker_similarity": Estimate(similarity, 100, similarity - 0.01, similarity + 0.01),
    }
    return Point(name, alpha, 100, figures, takes_hash=name.replace(" ", ""))


def test_the_report_shows_what_the_verb_has_stored_and_once(done: Production, tmp_path: Path) -> None:
    points = [stored("takes 1-100", 3.0, 0.9), stored("takes 101-200", 2.0, 0.9), stored("takes 201-300", 1.5, 0.91)]
    for point in points:
        done.catalog.add(set_scores(point, done.job_id, subset=point.name))
    done.catalog.add([SetScore(done.job_id, "", "coverage", "1/abc", 0.5, 9, 0.4, 0.6)])

    page = written(done, tmp_path / "page.html")

    section = page.partition('<section id="erosion">')[2].partition("</section>")[0]
    assert "f0_sd_st left its baseline at takes 101-200 (alpha 100%): 2, was 3" in section
    assert len(re.findall('<figure class="small', section)) == 2
    assert len(re.findall('<figure class="small left"', section)) == 1
    assert "2 (1.9 to 2.1) <b>left</b>" in section
    assert "Other figures of sets" in section
    assert section.count(">coverage</th>") == 1
    assert section.count("<b>f0_sd_st</b>") == 1
    assert "alpha</b>" not in section
    assert "No erosion to draw" not in section
    assert page == written(done, tmp_path / "again.html")


def test_releases_of_any_job_are_held_against_each_other(done: Production, tmp_path: Path) -> None:
    ((release_id,),) = done.catalog.lake.rows("SELECT id::VARCHAR FROM release")
    members = [take_id for take_id, _ in done.kept()[:1]]
    mixed = freeze(done.catalog, "mixed", take_ids=members, made_by="by hand")
    done.catalog.add(set_scores(stored("mixed", 3.0, 0.9, alpha=0.2), mixed.id))
    done.catalog.add(set_scores(stored("job & co", 1.0, 0.9), release_id))

    section = written(done, tmp_path / "page.html").partition('<section id="erosion">')[2].partition("</section>")[0]

    assert "Erosion from release to release" in section
    assert "The baseline is mixed." in section
    assert "f0_sd_st left its baseline at job &amp; co" in section
    assert "α, % synthetic" in section


def test_without_stored_figures_the_report_says_what_to_run(done: Production, tmp_path: Path) -> None:
    page = written(done, tmp_path / "page.html")

    assert "No erosion to draw: <code>synthgen erosion -c CORPUS --job &#39;job &amp; co&#39;</code>" in page
    assert "Other figures of sets" not in page
