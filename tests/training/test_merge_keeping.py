"""Task vectors that are kept as files: they merge as their models did, when these are gone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from catalogs.ids import content_id
from training import checkpoint
from training.checkpoint import Position
from training.evaluation.leaks import lineage
from training.merging.keeping import NUMBERS, VECTOR, keep_in, kept_at, load_kept
from training.merging.merge import Merged, merge
from training.merging.parts import load_source
from training.merging.recipe import MergeConfig

Run = Callable[..., Merged]
DOMAINS = ("cooking", "music")
LORA = {"language_model": {"name": "tiny", "lora": {"r": 2, "alpha": 8.0}}}
ADAPTER = {"layers.0.lora_A.weight": (2, 4), "layers.0.lora_B.weight": (3, 2)}


def write(
    folder: Path, seed: int, *, root: str = "base", objective: Any = None, shapes: Any = None, dtype: Any = None
) -> str:
    random = torch.Generator().manual_seed(seed)
    shapes = shapes or {"layers.0.weight": (3, 4), "out.bias": (3,)}
    provenance = {
        "training": content_id("training", folder.name), "releases": [], "encoder": "encoder",
        "recipe": {"name": folder.name, "data": [], "objective": {"method": "ctc", **(objective or {})}},
        "licences": [f"licence of {folder.name}"], "base": {"id": root, "root": root, "started_from": {}},
    }  # fmt: skip
    trained = {n: nn.Parameter(torch.randn(shape, generator=random).to(dtype)) for n, shape in shapes.items()}
    checkpoint.save(folder, Position(5), trained=trained, optimizer=None, provenance=provenance)
    return str(folder)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for seed, name in enumerate(DOMAINS):
        write(tmp_path / f"{name}-real", seed)
        write(tmp_path / f"{name}-synthetic", seed + 4)
    write(tmp_path / "target", 9)
    return tmp_path


@pytest.fixture
def run(models: Path) -> Run:
    """Merge two domains into a folder, from models or, by name, as they are kept."""

    def merged(to: str, *, kept: tuple[str, ...] = (), **changes: Any) -> Merged:
        sources = [
            {"vector": name} if name in kept
            else {"name": name, "real": str(models / f"{name}-real"), "synthetic": str(models / f"{name}-synthetic")}
            for name in DOMAINS
        ]  # fmt: skip
        table = {"name": "merged", "folder": str(models / to), "target": str(models / "target"), "scale": 0.5}
        table |= {"sources": sources, "vectors": str(models / "vectors")} | changes
        return merge(parse(MergeConfig, table, source="test"))

    return merged


def remove_sources(models: Path) -> None:
    for name in DOMAINS:
        for role in ("real", "synthetic"):
            shutil.rmtree(models / f"{name}-{role}")


@pytest.mark.parametrize("operator", ["add", "ties", "dare"])
def test_vectors_merge_to_the_same_bytes_when_their_models_are_gone(run: Run, models: Path, operator: str) -> None:
    plain = run("plain", vectors=None, operator={"name": operator})
    first = run("first", operator={"name": operator})
    remove_sources(models)

    again = run("again", kept=DOMAINS, operator={"name": operator})

    assert (first.norm, first.sources) == (again.norm, again.sources)
    for name in ("trained.safetensors", "checkpoint.json"):
        assert (first.folder / name).read_bytes() == (again.folder / name).read_bytes()
    for one in (plain, first):
        assert (one.folder / "trained.safetensors").read_bytes() == (again.folder / "trained.safetensors").read_bytes()
    trainings = [checkpoint.load(each.folder).provenance["training"] for each in (plain, again)]
    assert trainings[0] == trainings[1]


def test_a_vector_and_two_models_merge_together_and_one_twice_is_told(run: Run, models: Path) -> None:
    first = run("first")
    mixed = run("mixed", kept=("music",))
    pair = {"real": str(models / "music-real"), "synthetic": str(models / "music-synthetic")}

    for name in ("trained.safetensors", "checkpoint.json"):
        assert (first.folder / name).read_bytes() == (mixed.folder / name).read_bytes()
    with pytest.raises(TrainingError, match="sources 'music' and 'music-real' are one vector"):
        run("twice", sources=[{"vector": "music"}, pair])


def test_what_went_into_a_merge_is_known_when_its_models_are_gone(run: Run, models: Path) -> None:
    before = run("before", vectors=None)
    found = run("found")
    remove_sources(models)

    made_of = [each.provenance["training"] for each in lineage(checkpoint.load(found.folder))]

    names = ["target", *(f"{name}-{role}" for name in DOMAINS for role in ("real", "synthetic"))]
    assert set(made_of[1:]) == {content_id("training", name) for name in names}
    with pytest.raises(Exception, match="whose training data nobody can tell"):
        lineage(checkpoint.load(before.folder))


def test_a_merge_of_before_finds_its_models_where_they_are_kept_later(run: Run, models: Path) -> None:
    before = run("merged", vectors=None)
    written = (before.folder / "trained.safetensors").stat().st_mtime_ns
    fresh = run("fresh")

    found = run("merged")
    remove_sources(models)

    assert (found.folder / "checkpoint.json").read_bytes() == (fresh.folder / "checkpoint.json").read_bytes()
    assert (found.folder / "trained.safetensors").stat().st_mtime_ns == written
    assert len(lineage(checkpoint.load(found.folder))) == 6


def test_a_vector_that_a_recipe_calls_otherwise_keeps_its_name(run: Run, models: Path) -> None:
    first = run("first", kept=())
    kitchen = {"sources": [{"vector": "cooking", "name": "kitchen"}, {"vector": "music"}]}

    for _ in range(2):
        assert run("then", **kitchen).sources != first.sources
    assert load_kept(models / "vectors", "cooking").name == "cooking"


@pytest.mark.parametrize("text", ["{", '{"name": "music"}', "[]"])
def test_what_a_vector_says_of_itself_is_told_when_it_is_damaged(run: Run, models: Path, text: str) -> None:
    run("first")
    place = load_kept(models / "vectors", "music").real.found.folder.parent
    (place / VECTOR).write_text(text)

    for kept in ((), ("cooking",)):
        with pytest.raises(TrainingError, match=r"vector.json cannot be read .*: expected JSON with name, sha256"):
            run("then", kept=kept)


def test_a_kept_vector_has_its_name_its_key_and_its_numbers(models: Path) -> None:
    source = load_source("cooking", str(models / "cooking-real"), str(models / "cooking-synthetic"))

    keep_in(models / "vectors", source)

    for wanted in ("cooking", source.key):
        found = load_kept(models / "vectors", wanted)
        assert (found.name, found.key, found.unmatched()) == ("cooking", source.key, source.unmatched())
        assert found.vector().keys() == source.vector().keys()
        assert all(torch.equal(found.vector()[name], tensor) for name, tensor in source.vector().items())
    assert load_kept(models / "vectors", "cooking", name="kitchen").name == "kitchen"


def test_a_vector_that_is_kept_again_changes_its_name_and_nothing_else(models: Path) -> None:
    folders = (str(models / "cooking-real"), str(models / "cooking-synthetic"))
    source = load_source("cooking", *folders)
    keep_in(models / "vectors", source)
    place = models / "vectors" / source.key
    written = (place / NUMBERS).stat().st_mtime_ns
    (models / "vectors" / ".half.part").mkdir()
    shutil.copy(place / VECTOR, models / "vectors" / ".half.part" / VECTOR)

    keep_in(models / "vectors", load_source("kitchen", *folders))

    assert load_kept(models / "vectors", "kitchen").key == source.key
    assert (place / NUMBERS).stat().st_mtime_ns == written
    with pytest.raises(TrainingError, match=r"no vector 'cooking' in .*; kept are: kitchen; a merge with `vectors`"):
        load_kept(models / "vectors", "cooking")


def test_adapters_are_kept_as_their_products(tmp_path: Path) -> None:
    folders = [write(tmp_path / name, n, objective=LORA, shapes=ADAPTER) for n, name in enumerate("rst")]
    table = {"target": folders[2], "scale": 1.0, "rank": 6, "vectors": str(tmp_path / "vectors")}
    one = {"name": "one", "folder": str(tmp_path / "one"), "sources": [{"real": folders[0], "synthetic": folders[1]}]}
    other = {"name": "one", "folder": str(tmp_path / "other"), "sources": [{"vector": "r"}]}

    first, then = (merge(parse(MergeConfig, table | each, source="test")) for each in (one, other))

    assert kept_at(next((tmp_path / "vectors").iterdir())).vector().keys() == {"layers.0.weight"}
    assert (first.folder / "trained.safetensors").read_bytes() == (then.folder / "trained.safetensors").read_bytes()


def test_numbers_that_are_not_those_that_were_kept_are_refused(run: Run, models: Path) -> None:
    run("first")
    place = load_kept(models / "vectors", "music").real.found.folder.parent
    (place / NUMBERS).write_bytes((place / NUMBERS).read_bytes()[:-1] + b"\x01")

    for kept in ((), ("music",)):
        with pytest.raises(TrainingError, match=r"is not what was kept: .* is there, expected"):
            run("then", kept=kept)
    (place / NUMBERS).unlink()
    with pytest.raises(TrainingError, match="is not what was kept: nothing is there"):
        run("then", kept=("music",))


def test_a_vector_under_the_key_of_another_is_refused(run: Run, models: Path) -> None:
    run("first")
    place = load_kept(models / "vectors", "music").real.found.folder.parent
    place.rename(models / "vectors" / "other")

    with pytest.raises(TrainingError, match=f"is the vector {place.name}, by the models that it names"):
        run("then", kept=("music",))


def test_a_vector_of_another_base_is_refused(run: Run, models: Path) -> None:
    run("first")
    write(models / "stranger", 9, root="elsewhere")

    with pytest.raises(TrainingError, match="stranger goes back to base elsewhere, and source"):
        run("then", kept=DOMAINS, target=str(models / "stranger"))


def test_what_a_vector_says_of_its_models_is_no_model(run: Run, models: Path) -> None:
    run("first")
    place = load_kept(models / "vectors", "music").real.found.folder.parent

    with pytest.raises(TrainingError, match=r"real has no weights: it is what a kept vector says of a model; name the"):
        load_source("music", str(place / "real"), str(place / "synthetic"))


def test_two_vectors_of_a_name_are_told_by_their_keys(run: Run, models: Path) -> None:
    run("first")
    path = next(path for path in (models / "vectors").glob(f"*/{VECTOR}") if "cooking" in path.read_text())
    path.write_text(json.dumps(json.loads(path.read_text()) | {"name": "music"}))

    with pytest.raises(TrainingError, match=r"has 2 vectors 'music': name one by its key, of .*, "):
        load_kept(models / "vectors", "music")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vectors": None}, "vectors is missing: in which folder is music kept?"),
        ({"scale": None, "choosing": {}}, "choosing: music has no synthetic model to leave out"),
        ({"text_direction": "removed"}, "text_direction: music has no synthetic model to begin at"),
        ({"sources": [{"vector": "music", "real": "r"}]}, "vector: it is kept, and needs no real and no synthetic"),
        ({"sources": [{"name": "music"}]}, "sources.0: real and synthetic is missing"),
    ],
)
def test_what_a_vector_alone_cannot_do_is_told(run: Run, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        run("then", kept=("music",), **changes)
