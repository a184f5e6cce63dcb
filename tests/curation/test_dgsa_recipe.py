"""Recipes with the table [dgsa], alone and beside [tdsc]."""

from pathlib import Path
from typing import Any

import pytest

from catalogs.errors import RecipeError
from curation.dgsa.config import DgsaConfig
from curation.recipe import Recipe, parse_recipe


def parsed(tmp_path: Path, **tables: Any) -> Recipe:
    (tmp_path / "a.txt").write_text("good morning\n")
    table = {"name": "job", "prompts": [{"path": "a.txt"}], "metrics": ["words", "prosody", "tokens", "pace"]}
    return parse_recipe(table | tables, folder=tmp_path, source="job.toml")


def test_a_recipe_may_have_it_alone_or_with_tdsc(tmp_path: Path) -> None:
    kokoro = [{"engine": "kokoro"}]

    plain = parsed(tmp_path, voices=kokoro)
    alone = parsed(tmp_path, voices=kokoro, dgsa={"takes": 2, "real": {"kokoro/jm_kumo": "human/anna"}})
    both = parsed(tmp_path, voices=kokoro, dgsa={}, tdsc={})

    assert (plain.dgsa, alone.dgsa, both.dgsa) == (
        None,
        DgsaConfig(takes=2, real={"kokoro/jm_kumo": "human/anna"}),
        DgsaConfig(),
    )
    assert '"dgsa"' not in plain.definition
    assert len({recipe.job_id for recipe in (plain, alone, both)}) == 3


def test_a_job_that_says_no_share_is_the_one_it_was_before_there_were_shares(tmp_path: Path) -> None:
    silent, told = (parsed(tmp_path, voices=[{"engine": "kokoro"}], dgsa=dgsa) for dgsa in ({}, {"share": 0.8}))

    assert '"share"' not in silent.definition
    assert '"share":0.8' in told.definition
    assert silent.job_id != told.job_id


def test_all_that_does_not_fit_it_alone_is_told_at_once(tmp_path: Path) -> None:
    casting = {"temperatures": {"espeak/*": [0.9]}, "styles": {"*": ["jf_alpha"]}}

    with pytest.raises(RecipeError) as error:
        parsed(tmp_path, voices=[{"engine": "espeak"}], metrics=["pace"], casting=casting, dgsa={})

    for told in (
        "dgsa: espeak/en-us has no style to turn off; leave it out, or record it in a job of its own",
        "casting.temperatures: dgsa says how texts are read; leave it out",
        "casting.styles: dgsa says how texts are read; leave it out",
        "dgsa: no metric of this recipe writes wer",
        "dgsa: no metric of this recipe writes f0_sd_st",
    ):
        assert told in str(error.value)


def test_all_that_does_not_fit_both_is_told_at_once_and_once(tmp_path: Path) -> None:
    tables = {
        "voices": [{"engine": "espeak"}, {"engine": "kokoro"}],
        "metrics": ["pace"],
        "casting": {"temperatures": {"kokoro/*": [0.9]}},
        "tdsc": {"candidates": 5},
        "dgsa": {"takes": 2},
    }

    with pytest.raises(RecipeError) as error:
        parsed(tmp_path, **tables)

    for told in (
        "tdsc: espeak/en-us has no temperature",
        "dgsa: espeak/en-us has no style to turn off",
        "casting.temperatures: tdsc says how texts are read; leave it out",
        "tdsc: no metric of this recipe writes token_repetition",
        "dgsa: no metric of this recipe writes f0_sd_st",
        "tdsc.candidates = 5: with dgsa a round has 6 steps; give at least 6",
        "dgsa.takes = 2: tdsc says how often texts are read; leave it out",
    ):
        assert str(error.value).count(told) == 1
    assert "casting.temperatures: dgsa" not in str(error.value)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"threshold": 1}, "dgsa.threshold must be from 0 to below 1"),
        ({"takes": 0}, "dgsa.takes must be at least 1"),
        ({"share": 1.1}, "dgsa.share must be from 0 to 1"),
        ({"below": "dpo"}, "below = 'dpo'"),
        ({"least_gain_st": -1}, "dgsa.least_gain_st must not be negative"),
        ({"treshold": 0.5}, "did you mean 'threshold'"),
        ("on", "expected a table"),
    ],
)
def test_a_table_with_a_mistake_says_what_is_wrong(table: Any, told: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=told):
        parsed(tmp_path, voices=[{"engine": "kokoro"}], dgsa=table)
