import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from catalogs.errors import RecipeError, SynthgenError
from catalogs.records import VoiceCard
from curation.recipe import Recipe, ReleaseConfig, load_recipe, parse_recipe, shipped_recipes
from synthgen.voice import Voice
from synthgen.voices.tone import ToneConfig

Change: TypeAlias = Callable[[dict[str, Any]], Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "calls.txt").write_text("pay my bill\nwhat is my balance\n")
    (tmp_path / "names.tsv").write_text("Siobhan\tshivawn\n")
    return tmp_path


@dataclass(frozen=True)
class LargeVoice:
    """The configuration of an engine for larger machines."""

    engine: str = "large"
    batch: int = 16
    num_cpus: float = 1
    num_gpus: float = 0
    runtime_env: Mapping[str, Any] | None = None

    def cards(self) -> tuple[VoiceCard, ...]:
        return ToneConfig().cards()

    def build(self) -> Voice:
        return ToneConfig().build()


def table() -> dict[str, Any]:
    return {
        "name": "toy",
        "corpus": "corpora/toy",
        "metrics": ["levels", "pace"],
        "prompts": [{"path": "calls.txt"}],
        "voices": [{"engine": "tone", "speakers": ["ann", "bob"]}],
        "spoken": {"lexicon": "names.tsv"},
        "casting": {"seed": 1, "temperatures": {"tone/*": [0.5]}},
        "policy": {"thresholds": {"clipped_ratio": {"max": 0.001}}},
        "release": {"name": "calls"},
        "fleet": {"on": "inline"},
    }


def recipe(folder: Path, change: Change = lambda found: None) -> Recipe:
    found = table()
    change(found)
    return parse_recipe(found, folder=folder, source="toy.toml")


def message_of(folder: Path, change: Change) -> str:
    with pytest.raises(RecipeError) as caught:
        recipe(folder, change)
    return str(caught.value)


WHERE: dict[str, Change] = {
    "the corpus": lambda found: found.update(corpus="elsewhere"),
    "its metadata": lambda found: found.update(metadata="dbname=team"),
    "the fleet": lambda found: found.update(fleet={"on": "auto", "workers": 9, "cost_per_hour": 3.5}),
}


@pytest.mark.parametrize("change", WHERE.values(), ids=WHERE)
def test_where_a_job_is_done_does_not_make_it_another_job(folder: Path, change: Change) -> None:
    assert recipe(folder, change).job_id == recipe(folder).job_id


def test_a_job_stays_the_same_when_its_files_lie_elsewhere(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("moved") / "deep"
    shutil.copytree(folder, elsewhere)
    (elsewhere / "calls.txt").rename(elsewhere / "renamed.txt")

    moved = recipe(elsewhere, lambda found: found["prompts"][0].update(path="renamed.txt"))

    assert moved.job_id == recipe(folder).job_id


def test_the_machine_a_voice_asks_for_does_not_make_it_another_job(folder: Path) -> None:
    here = replace(recipe(folder), voices=(LargeVoice(),))
    there = replace(recipe(folder), voices=(LargeVoice(num_cpus=4, num_gpus=0.5, runtime_env={"pip": ["large"]}),))

    assert there.job_id == here.job_id
    assert replace(recipe(folder), voices=(LargeVoice(batch=8),)).job_id != here.job_id


WHAT: dict[str, Change] = {
    "the name": lambda found: found.update(name="other"),
    "a speaker": lambda found: found["voices"][0].update(speakers=["ann"]),
    "a voice's setting": lambda found: found["voices"][0].update(duration_s_per_char=0.07),
    "a prompt setting": lambda found: found["prompts"][0].update(limit=1),
    "the metrics": lambda found: found.update(metrics=["levels"]),
    "the spoken form": lambda found: found["spoken"].update(dates="dmy"),
    "the lexicon": lambda found: found.update(spoken={}),
    "the seed": lambda found: found["casting"].update(seed=2),
    "a temperature": lambda found: found["casting"].update(temperatures={"tone/*": [0.6]}),
    "the policy": lambda found: found.update(policy={}),
    "the quota": lambda found: found["release"].update(accepted_takes=10),
    "the release": lambda found: found.update(release={}),
}


@pytest.mark.parametrize("change", WHAT.values(), ids=WHAT)
def test_what_a_job_makes_is_what_it_is(folder: Path, change: Change) -> None:
    assert recipe(folder, change).job_id != recipe(folder).job_id


@pytest.mark.parametrize("name", ["calls.txt", "names.tsv"])
def test_what_the_files_say_is_part_of_the_job(folder: Path, name: str) -> None:
    before = recipe(folder).job_id

    with (folder / name).open("a") as file:
        file.write("one\tmore\n")

    assert recipe(folder).job_id != before


def test_defaults_that_are_written_out_change_nothing(folder: Path) -> None:
    spelled = recipe(folder, lambda found: found["casting"].update(takes=1, voices_per_prompt=None))

    assert spelled == recipe(folder)


def test_all_mistakes_of_a_recipe_are_told_at_once(folder: Path) -> None:
    def change(found: dict[str, Any]) -> None:
        del found["name"]
        found["polcy"] = {}
        found["prompts"][0] = {"file": "calls.txt"}
        found["voices"] += [{"engine": "tune"}, {"engine": "tone", "speakers": []}]
        found["metrics"] += ["wrds", {"family": "pace", "model": "x"}]
        found["casting"] = {"takes": 0, "seeds": 3}
        found["policy"] = {"thresholds": {"wer": {"min": 2, "max": 1}, "cer": {"mx": 1}}}
        found["fleet"] = {"workers": 0}
        found["release"] = {"accepted_takes": 5, "accepted_hours": 1.0}

    message = message_of(folder, change)

    head, *mistakes = message.splitlines()
    assert head == f"toy.toml: {len(mistakes)} mistakes"
    for part in (
        "unknown key 'polcy'; did you mean 'policy'?",
        "name is missing",
        "prompts.0: path is missing",
        "prompts.0: unknown key 'file'",
        "voices.1: no voices named 'tune'; did you mean 'tone'?",
        "voices.2: tone needs at least one speaker",
        "metrics.2: no metrics named 'wrds'; did you mean 'words'?",
        "metrics.3: unknown key 'model'",
        "casting: unknown key 'seeds'; did you mean 'seed'?",
        "policy: thresholds.wer: min 2 is above max 1",
        "policy: unknown key 'thresholds.cer.mx'; did you mean 'max'?",
        "fleet: workers must be at least 1",
        "release: give release.accepted_takes or release.accepted_hours, not both",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda found: found.update(name=7), "toy.toml: name = 7: expected a text"),
        (lambda found: found.update(corpus=["a"]), "toy.toml: corpus = ['a']: expected a text"),
        (lambda found: found.update(casting=[]), "toy.toml: casting = []: expected a table [casting]"),
        (lambda found: found.update(prompts=[7]), "toy.toml: prompts = [7]: expected tables [[prompts]]"),
        (lambda found: found.update(voices=[]), "toy.toml: voices is missing"),
    ],
)
def test_a_value_of_the_wrong_kind_says_what_was_expected(folder: Path, change: Change, wanted: str) -> None:
    assert message_of(folder, change).splitlines()[0] == wanted


def test_a_threshold_on_a_figure_that_nobody_measures_is_answered_with_the_nearest_one(folder: Path) -> None:
    message = message_of(folder, lambda found: found["policy"]["thresholds"].update(clip_ratio={"max": 0.1}))

    assert message == (
        "toy.toml: policy.thresholds.clip_ratio is written by no metric of this recipe; did you mean 'clipped_ratio'?"
    )


def test_a_pattern_that_fits_no_voice_is_answered_with_the_nearest_one(folder: Path) -> None:
    message = message_of(folder, lambda found: found["casting"].update(styles={"tone/an": ["bob"]}))

    assert message == "toy.toml: casting.styles: 'tone/an' fits no voice of this recipe; did you mean 'tone/ann'?"


def test_a_speaker_family_brings_the_similarity_to_the_intended_voice(folder: Path) -> None:
    found = recipe(folder, lambda found: found.update(metrics=["levels", "speaker"]))

    assert [card.family for card in found.cards()] == ["levels", "speaker", "similarity"]


def test_one_voice_needs_no_list(folder: Path) -> None:
    found = recipe(folder, lambda found: found.update(voices=found["voices"][0]))

    assert found == recipe(folder)


def test_without_a_corpus_a_job_has_one_of_its_name(folder: Path) -> None:
    found = recipe(folder, lambda found: found.pop("corpus"))

    assert found.corpus == Path("corpora/toy")


@pytest.mark.parametrize(
    "quota", [{"accepted_takes": 0}, {"accepted_takes": -3}, {"accepted_hours": 0.0}, {"accepted_hours": -1.0}]
)
def test_a_quota_of_nothing_is_refused(quota: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        ReleaseConfig(**quota)


def test_a_recipe_file_is_read_with_its_changes(folder: Path) -> None:
    path = folder / "toy.toml"
    path.write_text(
        'name = "toy"\nmetrics = ["levels"]\n[[prompts]]\npath = "calls.txt"\n[[voices]]\nengine = "tone"\n'
    )

    found = load_recipe(str(path), ["casting.seed=7", "voices.0.speakers=['zoe']", "fleet.on=inline"])

    assert found.casting.seed == 7
    assert [card.speaker for card in found.voices[0].cards()] == ["zoe"]
    assert found.fleet.on == "inline"
    assert found.prompts[0].path == str(folder / "calls.txt")


def test_recipes_that_come_along_all_load() -> None:
    names = [path.stem for path in shipped_recipes()]

    loaded = [load_recipe(name) for name in names]

    assert "demo" in names
    assert [found.name for found in loaded] == names
    assert len({found.job_id for found in loaded}) == len(names)


def test_an_unknown_recipe_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(RecipeError, match=r"no recipe file 'dema'.*did you mean 'demo'\?"):
        load_recipe("dema")


def test_a_prompt_file_that_is_gone_has_no_job(folder: Path) -> None:
    found = recipe(folder)
    (folder / "calls.txt").unlink()

    with pytest.raises(SynthgenError, match=r"there is no file .*calls\.txt"):
        _ = found.job_id
