"""Who has read to the two models of a source: what provenance and releases say of it, and what they cannot say."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalogs.errors import TrainingError
from synthgen.cli import app
from training.checkpoint import Checkpoint, Position
from training.data import parse_data, read_data
from training.merging.devs import chosen_by
from training.merging.readings import check_readers, readings_of, speech_of, texts_of
from training.merging.recipe import ChoosingConfig, DevConfig, MergeConfig, SourceConfig

Had = Callable[..., Checkpoint]
TEXTS = ["good morning", "see you at nine"]


@pytest.fixture(scope="module")
def corpus(produce: Callable[..., Path], record: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same texts by a person and by a machine, "recorded", "read", "both"; other takes; texts."""
    folder = tmp_path_factory.mktemp("readings")
    produce(folder, "read", prompts=TEXTS, speakers=["bela"])
    record(folder, "recorded", texts=TEXTS, speaker="anna")
    (folder / "texts.txt").write_text("a large tea\n")
    corpus = record(folder, "others", texts=["lights off please"], speaker="cora")
    done = CliRunner().invoke(app, ["freeze", "both", "--where", "text <> 'lights off please'", "-c", str(corpus)])
    assert done.exit_code == 0, done.output
    return corpus


@pytest.fixture
def had(corpus: Path) -> Had:
    """A checkpoint that says it was trained on these releases; one that starts with "gone " is not there any more."""

    def make(name: str, *releases: str, **more: object) -> Checkpoint:
        tables, ids = [], []
        for release in releases:
            table = {"corpus": str(corpus), "release": release.removeprefix("gone "), "split": None}
            if release == "texts":
                table = {"texts": str(corpus.parent / "texts.txt")}
            tables.append(table)
            ids.append("other" if release.startswith("gone ") else read_data(parse_data(table, source="test"))[0].id)
        provenance = {"recipe": {"data": tables}, "releases": [{"id": each} for each in ids], **more}
        return Checkpoint(Path(name), Position(1), provenance)

    return make


@pytest.mark.parametrize(
    ("real", "synthetic"),
    [
        (["recorded"], ["read"]),
        (["recorded"], ["texts"]),
        (["recorded", "read"], ["recorded", "read"]),
        (["recorded", "gone read"], ["read"]),
    ],
)
def test_real_less_synthetic_is_known_to_be_that(had: Had, real: list[str], synthetic: list[str]) -> None:
    assert check_readers("greetings", had("r", *real), had("s", *synthetic)) is None


@pytest.mark.parametrize(
    ("real", "synthetic", "message"),
    [
        (["read"], ["read"], "real = r has heard no real take: all 2 that it was trained on are synthetic.*as real$"),
        (["texts"], ["gone read"], "real = r has heard no real take"),
        (["read"], ["recorded"], "real = r has heard no real take.*are real and synthetic swapped?"),
        (["recorded"], ["read", "others"], "synthetic = s has heard 1 real takes that r has not"),
        (["recorded"], ["gone read", "others"], "synthetic = s has heard 1 real takes that r has not"),
        (["recorded", "read"], ["recorded"], "synthetic = s has heard nothing synthetic, only 2 real takes"),
    ],
)
def test_models_that_others_have_read_to_are_refused(
    had: Had, real: list[str], synthetic: list[str], message: str
) -> None:
    with pytest.raises(TrainingError, match=f"source 'greetings': {message}"):
        check_readers("greetings", had("r", *real), had("s", *synthetic))


@pytest.mark.parametrize(
    ("real", "synthetic", "told"),
    [
        (["gone recorded"], ["read"], "r has had the release 'recorded'.* cannot be read: it was other then"),
        (["read", "gone recorded"], ["read"], "r has had the release 'recorded'"),
        (["recorded", "gone others"], ["read", "others"], "r has had the release 'others'"),
        (["recorded"], ["gone read"], "s has had the release 'read'"),
        ([], ["read"], "r does not say what it was trained on"),
    ],
)
def test_what_nobody_can_tell_any_more_is_a_doubt_and_no_mistake(
    had: Had, real: list[str], synthetic: list[str], told: str
) -> None:
    doubt = check_readers("greetings", had("r", *real), had("s", *synthetic))

    assert doubt is not None
    assert re.search(told, doubt)


def test_real_takes_that_sampling_left_alone_were_not_heard(had: Had) -> None:
    both = had("both", "recorded", "read")
    recipe = both.provenance["recipe"] | {"sampling": {"real": [0]}}
    quiet = Checkpoint(both.folder, both.position, {**both.provenance, "recipe": recipe})

    assert readings_of(both).real
    assert not readings_of(quiet).real
    with pytest.raises(TrainingError, match="real = both has heard no real take"):
        check_readers("greetings", quiet, had("s", "read"))


def test_a_merge_has_had_more_than_its_target(had: Had) -> None:
    merged = had("merged", "read", merge={"parts": []})

    assert "merged is a merge" in str(check_readers("greetings", merged, had("s", "read")))
    assert readings_of(merged).num_synthetic == 2


def test_texts_are_only_compared_where_all_are_known(had: Had) -> None:
    recorded, read = (texts_of(had(name, name)) for name in ("recorded", "read"))

    assert recorded == read
    assert recorded is not None
    assert len(recorded) == 2
    assert texts_of(had("r", "recorded", "gone others")) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "is_shared"),
    [
        ((["recorded"], ["read"]), (["recorded"], ["texts"]), True),
        ((["recorded"], ["read"]), (["both"], ["read"]), True),
        ((["recorded"], ["read"]), (["recorded", "gone others"], ["read"]), True),
        ((["gone recorded"], ["read"]), (["gone recorded"], ["texts"]), True),
        ((["others"], ["read"]), (["recorded"], ["read"]), False),
        ((["recorded", "others"], ["read", "others"]), (["recorded"], ["texts"]), True),
        ((["recorded", "others"], ["read", "others"]), (["others"], ["read"]), False),
    ],
)
def test_sources_of_one_domain_are_known_by_the_real_speech_that_makes_them(
    had: Had, ours: tuple[list[str], list[str]], theirs: tuple[list[str], list[str]], is_shared: bool
) -> None:
    own = speech_of(had("r", *ours[0])) - speech_of(had("s", *ours[1]))

    assert bool(own & speech_of(had("o", *theirs[0]))) == is_shared


@pytest.mark.parametrize(("release", "count"), [("read", "2 of the 2"), ("both", "2 of the 4")])
def test_lambda_is_chosen_by_real_takes_alone(corpus: Path, release: str, count: str) -> None:
    sources = tuple(
        SourceConfig(f"r{n}", f"s{n}", dev=DevConfig(str(corpus), name)) for n, name in enumerate(("recorded", release))
    )
    config = MergeConfig("merged", "target", sources, choosing=ChoosingConfig())

    with pytest.raises(TrainingError, match=f"{count} takes of the release '{release}' of .* are synthetic speech"):
        chosen_by(config)
