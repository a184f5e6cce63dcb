"""Merged checkpoints: what they hold, what they say of themselves, and what cannot be merged."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from catalogs.ids import content_id
from training import checkpoint
from training.checkpoint import Position
from training.merging.merge import merge
from training.merging.recipe import MergeConfig, load_merge
from training.merging.telling import told_merge

Model = Callable[..., str]


class Tied(nn.Module):
    """An embedding that is the output layer as well, and a norm with buffers."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(5, 4)
            self.norm = nn.BatchNorm1d(4)
            self.out = nn.Linear(4, 5, bias=False)
            self.norm.running_mean = torch.randn(4)
        self.out.weight = self.embed.weight


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """A checkpoint of made-up parameters, by its name; it comes with all that merging asks of provenance."""

    def make(name: str, seed: int = 0, *, weights: Mapping[str, Tensor] | None = None, **changes: Any) -> str:
        random = torch.Generator().manual_seed(seed)
        made = weights or {key: torch.randn(shape, generator=random) for key, shape in SHAPES.items()}
        base = {"id": "base", "root": "base", "started_from": {}, **changes.pop("base", {})}
        objective = {"method": "ctc", "alphabet": " abc", "dropout": 0.1}
        recipe = {"name": name, "data": [], "objective": objective | changes.pop("objective", {})}
        provenance = {
            "training": content_id("training", name), "recipe": recipe | {"features": {"layers": [-1]}},
            "releases": [], "encoder": "encoder", "licences": [f"licence of {name}"], "base": base, **changes,
        }  # fmt: skip
        parameters = {key: nn.Parameter(tensor) for key, tensor in made.items()}
        checkpoint.save(tmp_path / name, Position(5), trained=parameters, optimizer=None, provenance=provenance)
        return str(tmp_path / name)

    return make


SHAPES = {"layers.0.weight": (3, 4), "layers.1.weight": (3, 4), "out.bias": (3,)}


def recipe(beside: Path, target: str, *sources: tuple[str, str], **changes: Any) -> MergeConfig:
    named = [{"real": real, "synthetic": synthetic} for real, synthetic in sources]
    table = {"name": "merged", "folder": str(beside / "merged"), "target": target, "sources": named, "scale": 0.5}
    return parse(MergeConfig, table | changes, source="test")


def weights(folder: str | Path) -> dict[str, Tensor]:
    return checkpoint.load(Path(folder)).trained()


def is_same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("operator", ["add", "ties", "dare", "tsv", "slerp"])
def test_no_lambda_gives_the_target_bit_by_bit(model: Model, tmp_path: Path, operator: str) -> None:
    target = model("target", 3)

    found = merge(
        recipe(tmp_path, target, (model("real", 1), model("synthetic", 2)), scale=0, operator={"name": operator})
    )

    assert is_same(weights(found.folder), weights(target))


def test_no_lambda_leaves_numbers_of_twice_the_precision(model: Model, tmp_path: Path) -> None:
    names = ("target", "real", "synthetic")
    target, *pair = (model(name, weights={"w": torch.randn(3, dtype=torch.float64)}) for name in names)

    found = merge(recipe(tmp_path, target, (pair[0], pair[1]), scale=0))

    assert is_same(weights(found.folder), weights(target))


def test_all_of_a_vector_added_to_its_own_synthetic_model_gives_the_real_one(model: Model, tmp_path: Path) -> None:
    real, synthetic = model("real", 1), model("synthetic", 2)

    found = merge(recipe(tmp_path, synthetic, (real, synthetic), scale=1.0))

    for name, tensor in weights(real).items():
        torch.testing.assert_close(weights(found.folder)[name], tensor, rtol=1e-6, atol=1e-6)


def test_layers_get_what_their_lambda_says(model: Model, tmp_path: Path) -> None:
    target, real, synthetic = model("target", 3), model("real", 1), model("synthetic", 2)

    found = merge(recipe(tmp_path, target, (real, synthetic), scale=0.0, scales={"1": 1.0}))

    merged, before = weights(found.folder), weights(target)
    added = weights(real)["layers.1.weight"] - weights(synthetic)["layers.1.weight"]
    assert torch.equal(merged["layers.0.weight"], before["layers.0.weight"])
    torch.testing.assert_close(merged["layers.1.weight"], before["layers.1.weight"] + added)


def test_patterns_in_another_order_are_another_merge(model: Model, tmp_path: Path) -> None:
    target, pair = model("target", 3), (model("real", 1), model("synthetic", 2))
    scales = {"0": 1.0, "layers.*": 0.25}

    one = merge(recipe(tmp_path, target, pair, scales=scales))
    turned = {"scales": dict(reversed(scales.items()))}
    other = merge(recipe(tmp_path, target, pair, **turned, folder=str(tmp_path / "other")))

    assert not torch.equal(weights(one.folder)["layers.0.weight"], weights(other.folder)["layers.0.weight"])
    about = [checkpoint.load(each.folder).provenance for each in (one, other)]
    assert about[0]["training"] != about[1]["training"]
    assert about[1]["merge"]["scales"] == [["layers.*", 0.25], ["0", 1.0]]
    with pytest.raises(TrainingError, match="holds another merge"):
        merge(recipe(tmp_path, target, pair, **turned))


@pytest.mark.parametrize("scales", [{"0": 1.0}, {"0": 1.0, "1": 1.0}])
def test_patterns_whose_order_makes_no_difference_are_what_they_were(tmp_path: Path, scales: dict[str, float]) -> None:
    found = [recipe(tmp_path, "t", ("r", "s"), scales=dict(each)) for each in (scales.items(), [*scales.items()][::-1])]

    assert json.loads(found[0].definition)["scales"] == scales
    assert found[0].definition == found[1].definition


@pytest.mark.parametrize("operator", ["add", "ties", "dare", "tsv"])
def test_sources_in_another_order_give_the_same_bytes(model: Model, tmp_path: Path, operator: str) -> None:
    target = model("target", 9)
    pairs = [(model(f"real-{n}", n), model(f"synthetic-{n}", n + 4)) for n in range(3)]
    settings = {"operator": {"name": operator}}

    one = merge(recipe(tmp_path, target, *pairs, **settings))
    other = merge(recipe(tmp_path, target, *reversed(pairs), **settings, folder=str(tmp_path / "other")))

    for name in ("trained.safetensors", "checkpoint.json"):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()


def test_tied_weights_are_moved_once_and_buffers_not_at_all(model: Model, tmp_path: Path) -> None:
    modules = {name: Tied(seed) for seed, name in enumerate(("target", "real", "synthetic"))}
    folders = {name: model(name, weights=dict(module.named_parameters())) for name, module in modules.items()}
    expected = modules["target"].embed.weight + modules["real"].embed.weight - modules["synthetic"].embed.weight
    buffers = {name: buffer.clone() for name, buffer in modules["target"].named_buffers()}

    found = merge(recipe(tmp_path, folders["target"], (folders["real"], folders["synthetic"]), scale=1.0))
    checkpoint.restore(checkpoint.load(found.folder), dict(modules["target"].named_parameters()))

    torch.testing.assert_close(modules["target"].out.weight, expected)
    assert modules["target"].out.weight is modules["target"].embed.weight
    assert all(torch.equal(buffers[name], now) for name, now in modules["target"].named_buffers())


def test_what_texts_explain_is_taken_out_of_each_vector(model: Model, tmp_path: Path) -> None:
    target = model("target", 9)
    pairs = [(model(f"real-{n}", n), model(f"synthetic-{n}", n + 4)) for n in range(2)]

    found = merge(recipe(tmp_path, target, *pairs, scale=1.0, text_direction="removed"))

    flat = {name: flattened(weights(name)) for name in (target, *pairs[0], *pairs[1], str(found.folder))}
    expected = torch.zeros_like(flat[target])
    for real, synthetic in pairs:
        vector, way = flat[real] - flat[synthetic], flat[target] - flat[synthetic]
        assert abs(float(vector @ way)) > 0.1
        expected += (vector - (vector @ way) / (way @ way) * way) / 2
    torch.testing.assert_close(flat[str(found.folder)] - flat[target], expected, rtol=1e-4, atol=1e-5)


def test_of_one_source_nothing_is_added_along_the_way_of_texts(model: Model, tmp_path: Path) -> None:
    target, real, synthetic = model("target", 3), model("real", 1), model("synthetic", 2)

    found = merge(recipe(tmp_path, target, (real, synthetic), scale=1.0, text_direction="removed"))

    way = flattened(weights(target)) - flattened(weights(synthetic))
    added = flattened(weights(found.folder)) - flattened(weights(target))
    assert found.norm > 0.1
    assert abs(float(added @ way)) < 1e-5 * float(added.norm() * way.norm())


def test_on_the_way_of_no_texts_all_of_a_vector_is_kept(model: Model, tmp_path: Path) -> None:
    real, synthetic = model("real", 1), model("synthetic", 2)

    found = merge(recipe(tmp_path, synthetic, (real, synthetic), scale=1.0, text_direction="removed"))

    torch.testing.assert_close(flattened(weights(found.folder)), flattened(weights(real)), rtol=1e-6, atol=1e-6)


def flattened(parameters: Mapping[str, Tensor]) -> Tensor:
    return torch.cat([parameters[name].flatten() for name in sorted(parameters)])


def test_merges_of_before_are_what_they_were(model: Model, tmp_path: Path) -> None:
    target, real, synthetic = model("target", 3), model("real", 1), model("synthetic", 2)
    plain = recipe(tmp_path, target, (real, synthetic))
    removed = recipe(tmp_path, target, (real, synthetic), text_direction="removed")

    about = checkpoint.load(merge(plain).folder).provenance
    hashes = sorted(f"{part['role']} {part['sha256']}" for part in about["merge"]["parts"])
    how = {"operator": asdict(plain.operator), "scale": 0.5, "scales": {}, "rank": None}

    assert json.loads(plain.definition) == {
        "name": "merged", "target": target, "scale": 0.5, "scales": {}, "rank": None, "choosing": None,
        "operator": {"name": "add", "norms": "kept", "keep": None, "drop": None, "seed": None},
        "sources": [{"real": real, "synthetic": synthetic, "name": None, "dev": None}],
    }  # fmt: skip
    assert about["training"] == content_id("merge", how, hashes)
    assert json.loads(removed.definition) == json.loads(plain.definition) | {"text_direction": "removed"}
    with pytest.raises(TrainingError, match="holds another merge"):
        merge(removed)


def test_a_merge_says_what_it_is_made_of(model: Model, tmp_path: Path) -> None:
    target, real, synthetic = model("target", 3), model("real", 1), model("synthetic", 2)

    found = merge(recipe(tmp_path, target, (real, synthetic)))

    made = checkpoint.load(found.folder)
    about = made.provenance["merge"]
    assert made.position.step == 5
    assert [(part["role"], part["folder"]) for part in about["parts"]] == [
        ("target", target), ("real", real), ("synthetic", synthetic),
    ]  # fmt: skip
    assert all(len(part["sha256"]) == 64 and part["step"] == 5 and part["training"] for part in about["parts"])
    assert (about["operator"]["name"], about["scale"]) == ("add", 0.5)
    assert made.provenance["recipe"]["name"] == "merged"
    assert found.unmatched == {}
    assert "does not say what it was trained on" in found.doubts["real"]
    assert "nobody can tell whether real is real less synthetic" in told_merge(found)
    assert made.provenance["licences"] == ["licence of real", "licence of synthetic", "licence of target"]


def test_settings_of_training_are_told_that_change_no_meaning(model: Model, tmp_path: Path) -> None:
    ours = {
        "dropout": 0.2,
        "masking": {"times": 2},
        "device": "cuda",
        "projector_from": "one",
        "projector": {"dropout": 0},
    }
    theirs = {"device": "cpu", "projector_from": "other", "projector": {"dropout": 0.1}}
    changed = {"augmentation": {"variants": 0, "seed": 0}}, {"augmentation": {"variants": 2, "seed": 0}}
    pair = [
        edited(model(name, seed, objective=objective), **tables)
        for name, seed, objective, tables in zip(("real", "read"), (1, 2), (ours, theirs), changed, strict=True)
    ]

    found = merge(recipe(tmp_path, model("target", 3, objective=theirs), (pair[0], pair[1])))

    assert found.unmatched == {
        "real": ["objective.dropout", "objective.masking", "objective.projector.dropout", "augmentation.variants"]
    }


def edited(folder: str, **tables: Any) -> str:
    """The same model, with other tables in its recipe."""
    about = checkpoint.load(Path(folder)).folder / checkpoint.ABOUT
    told = json.loads(about.read_text())
    told["provenance"]["recipe"] |= tables
    about.write_text(json.dumps(told))
    return folder


def test_a_pair_that_differs_in_more_than_its_readings_is_told(model: Model, tmp_path: Path) -> None:
    target, synthetic = model("target", 3), model("synthetic", 2)
    real = edited(model("real", 1), loop={"seed": 7}, optim={"rate": 0.1})

    found = merge(recipe(tmp_path, target, (real, synthetic)))

    assert found.unmatched == {"real": ["loop.seed", "optim.rate"]}
    assert "differ in more than who reads (loop.seed, optim.rate)" in told_merge(found)


def test_the_same_merge_again_changes_nothing_and_another_is_refused(model: Model, tmp_path: Path) -> None:
    target, pair = model("target", 3), (model("real", 1), model("synthetic", 2))
    first = merge(recipe(tmp_path, target, pair))
    written = (first.folder / "checkpoint.json").stat().st_mtime_ns

    assert merge(recipe(tmp_path, target, pair)) == first
    assert (first.folder / "checkpoint.json").stat().st_mtime_ns == written
    with pytest.raises(TrainingError, match="holds another merge"):
        merge(recipe(tmp_path, target, pair, scale=0.6))
    with pytest.raises(TrainingError, match="is no merged checkpoint"):
        merge(recipe(tmp_path, target, pair, folder=target))


def test_a_merge_can_be_merged_again(model: Model, tmp_path: Path) -> None:
    target, real, synthetic = model("target", 3), model("real", 1), model("synthetic", 2)
    once = merge(recipe(tmp_path, target, (real, synthetic), folder=str(tmp_path / "once")))
    twice = merge(recipe(tmp_path, str(once.folder), (real, synthetic), folder=str(tmp_path / "twice")))
    whole = merge(recipe(tmp_path, target, (real, synthetic), scale=1.0))

    for name, tensor in weights(whole.folder).items():
        torch.testing.assert_close(weights(twice.folder)[name], tensor)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": {"id": "another"}}, r"began from different bases \(base and another\); train both with"),
        ({"encoder": "another"}, "encoder = 'encoder', not 'another'"),
        ({"objective": {"alphabet": " xyz"}}, "objective.alphabet = ' abc', not ' xyz'"),
        ({"base": None}, "has no 'base', which says by hash"),
        ({"weights": {"out.bias": torch.zeros(3)}}, "2 parameters differ, for example layers.0.weight.*missing in"),
        ({"weights": {k: torch.zeros(2) for k in SHAPES}}, r"layers.0.weight: \(3, 4\) in .*real, \(2,\) in"),
        ({"weights": {k: torch.full(s, float("nan")) for k, s in SHAPES.items()}}, "weights that are no numbers"),
    ],
)
def test_models_whose_difference_means_nothing_are_refused(
    model: Model, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    synthetic = model("synthetic", 2, **changes) if changes != {"base": None} else _without_base(model("synthetic"))

    with pytest.raises(TrainingError, match=message):
        merge(recipe(tmp_path, model("target", 3), (model("real", 1), synthetic)))
    assert not (tmp_path / "merged").exists()


def test_a_target_of_another_root_is_refused_and_one_of_the_same_root_is_not(model: Model, tmp_path: Path) -> None:
    pair = (model("real", 1), model("synthetic", 2))
    further = model("further", 3, base={"id": "mixed"})
    stranger = model("stranger", 3, base={"id": "mixed", "root": "elsewhere"})

    merge(recipe(tmp_path, further, pair))
    with pytest.raises(TrainingError, match="goes back to base elsewhere, and source 'real' to base"):
        merge(recipe(tmp_path, stranger, pair, folder=str(tmp_path / "other")))


def test_mistakes_of_a_recipe_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text('name = "a/b"\ntarget = "t"\nscale = 0.4\nsources = []\nrank = 0\n')
    (tmp_path / "typo.toml").write_text('name = "a"\ntarget = "t"\nscal = 0.4\n[[sources]]\nreal = "r"\n')

    with pytest.raises(RecipeError) as wrong:
        load_merge(str(tmp_path / "wrong.toml"))
    with pytest.raises(RecipeError) as typo:
        load_merge(str(tmp_path / "typo.toml"))

    for part in ("without slashes", "at least one table", "rank = 0"):
        assert part in str(wrong.value)
    for part in ("'scal'; did you mean 'scale'", "sources.0: synthetic is missing: give real and"):
        assert part in str(typo.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": float("nan")}, "scale = nan: input should be a finite number"),
        ({"scale": float("inf")}, "scale = inf: input should be a finite number"),
        ({"scale": True}, "scale = true: expected a number"),
        ({"scales": {"0": float("-inf")}}, "scales.0 = -inf: input should be a finite number"),
        ({"scales": {"0": True}}, "scales.0 = true: expected a number"),
        ({"scale": None, "choosing": {"grid": [0.0, float("inf")]}}, "choosing.grid.1 = inf: input should be a finite"),
        ({"folder": 5}, "folder = 5: input should be a valid string"),
        ({"name": ".."}, "name = '..': expected a name without slashes"),
        ({"operator": "ties"}, "operator = 'ties': expected a table"),
        ({"scales": 0.5}, "scales = 0.5: expected a table"),
        ({"sources": {"real": "r"}}, "sources = {'real': 'r'}: expected a list"),
    ],
)
def test_a_value_that_cannot_be_is_told_with_its_key(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    usual = {"name": "a", "target": "t", "scale": 0.4, "sources": [{"real": "r", "synthetic": "s"}]}

    with pytest.raises(RecipeError) as caught:
        parse(MergeConfig, usual | changes, source="merge.toml")

    assert str(caught.value).startswith(f"merge.toml: {message}")


@pytest.mark.parametrize("scale", [-1, 0, 2, 1e9])
def test_lambda_may_be_any_finite_number(scale: float) -> None:
    table = {"name": "a", "target": "t", "scale": scale, "sources": [{"real": "r", "synthetic": "s"}]}

    assert parse(MergeConfig, table, source="merge.toml").scale == scale


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": None}, "scale is missing: give lambda"),
        ({"choosing": {}}, "leave one of both out"),
        ({"scale": None, "choosing": {}}, "there must be two or more; choosing: r has no dev"),
        ({"scale": None, "choosing": {"grid": [0.1]}}, "two or more finite numbers"),
    ],
)
def test_lambda_is_given_or_chosen(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe(tmp_path, "t", ("r", "s"), **changes)


def _without_base(folder: str) -> str:
    about = Path(folder) / "step-00000005" / "checkpoint.json"
    about.write_text(about.read_text().replace('"base": {', '"before": {'))
    return folder
