"""Task vectors as rows of a corpus, the angles between them, and lambda chosen by the command that people give."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from catalogs.catalog import Catalog
from catalogs.console import ask
from catalogs.errors import TrainingError, UsageError
from catalogs.ids import Id
from catalogs.records import TaskVector
from synthgen.cli import app
from training import checkpoint
from training.data import TextsConfig, read_data
from training.merging import devs
from training.merging import merge as merging
from training.merging.angles import cosines, registered
from training.merging.choosing import Choice, Chosen, chosen_of
from training.merging.composing import mixture_of
from training.merging.parts import load_part, load_source
from training.merging.recipe import MergeConfig, SourceConfig
from training.merging.registry import rows_of, vectors_in
from training.merging.telling import told_vectors
from training.merging.vectors import norm

from .conftest import train_on

DOMAINS = {
    "greetings": ["good morning", "see you at nine"],
    "lights": ["lights off please", "turn it down"],
}
DEV = {"greetings": ["good evening", "so long"], "lights": ["brighter", "switch on the lamp"]}
FAST = {"optim": {"rate": 0.05, "warmup_steps": 1}}


@pytest.fixture(scope="module")
def studio(produce: Callable[..., Path], record: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For two domains a model of real and one of synthetic speech, takes to choose lambda on, and a target."""
    folder = tmp_path_factory.mktemp("vectors")
    for name, texts in DOMAINS.items():
        produce(folder, f"{name}-read", prompts=texts, speakers=["bela"])
        record(folder, f"{name}-real", texts=texts, speaker="anna")
        record(folder, f"{name}-dev", texts=DEV[name], speaker="dina")
    corpus = produce(folder, "orders", prompts=["a large tea", "one latte"], speakers=["bela"])
    for name in DOMAINS:
        train_on(f"{name}-real", folder, corpus, f"{name}-real", {"method": "ctc"}, **FAST)
        train_on(f"{name}-read", folder, corpus, f"{name}-read", {"method": "ctc"}, **FAST)
    train_on("orders", folder, corpus, "target", {"method": "ctc"}, **FAST)
    return folder


@pytest.fixture
def merge(studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path))

    def run(*changes: str, rest: str = "") -> Result:
        lines = [f'name = "merged"\nfolder = "{tmp_path}/merged"\ntarget = "{studio}/target"\n{rest}']
        for name in DOMAINS:
            lines.append(
                f'[[sources]]\nname = "{name}"\nreal = "{studio}/{name}-real"\nsynthetic = "{studio}/{name}-read"'
            )
            lines.append(f'dev = {{corpus = "{studio}/corpus", release = "{name}-dev"}}')
        (tmp_path / "merge.toml").write_text("\n".join(lines))
        words = [word for change in changes for word in ("-o", change)]
        return CliRunner().invoke(app, ["merge", str(tmp_path / "merge.toml"), "--json", *words])

    return run


def vectors(studio: Path, *words: str) -> Any:
    done = CliRunner().invoke(app, ["vectors", "-c", str(studio / "corpus"), "--json", *words])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_merge_keeps_its_vectors_as_rows_while_a_job_writes(merge: Callable[..., Result], studio: Path) -> None:
    for _ in range(2):
        with Catalog.open(studio / "corpus") as catalog, catalog.job("generate"):
            done = merge("scale=0.5")
        assert done.exit_code == 0, done.output

    rows = ask(
        studio / "corpus",
        "SELECT task_vector.name, voices, real_steps, len(members) AS members, list_sum(layer_norms) AS sum, norm, "
        "task_vector.synthetic_releases[1] = release.id AS is_joined "
        "FROM task_vector LEFT JOIN release ON release.name = task_vector.name || '-read' "
        "WHERE task_vector.name NOT LIKE 'ties%' ORDER BY task_vector.name",
    ).to_pylist()
    assert [row["name"] for row in rows] == ["add(greetings, lights)", "greetings", "lights"]
    assert [row["members"] for row in rows] == [2, 0, 0]
    assert [row["is_joined"] for row in rows[1:]] == [True, True]
    assert all(row["voices"] == ["tone/bela"] and row["sum"] >= row["norm"] > 0 for row in rows)
    assert rows[0]["real_steps"] is None
    assert rows[1]["real_steps"] == 1


def test_lambda_is_not_chosen_by_what_the_target_says(
    merge: Callable[..., Result], studio: Path, record: Callable[..., Path], tmp_path: Path
) -> None:
    record(studio, "orders-spoken", texts=["A large tea!", "how much is it"], speaker="eve")

    refused = merge("choosing.grid=[0, 0.5]", "sources.1.dev.release=orders-spoken")

    assert isinstance(refused.exception, TrainingError)
    assert "1 of the 2 takes of the release 'orders-spoken'" in str(refused.exception)
    assert "say what the target was trained on, for example 'a large tea', in the release 'orders'" in str(
        refused.exception
    )
    assert not (tmp_path / "merged").exists()


def test_what_is_taken_out_for_one_target_is_not_taken_out_of_the_rows(
    merge: Callable[..., Result], studio: Path, tmp_path: Path
) -> None:
    merge("scale=0.5")
    before = vectors_in(studio / "corpus")

    done = merge("scale=0.5", "text_direction=removed", f"folder={tmp_path}/removed")

    assert done.exit_code == 0, done.output
    (whole,) = (row for row in before if row.name == "add(greetings, lights)")
    assert json.loads(done.stdout)["norm"] != pytest.approx(whole.norm, rel=1e-3)
    assert vectors_in(studio / "corpus") == before


def test_voices_are_machines_and_neither_people_nor_texts(studio: Path, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("good morning\n")
    texts = TextsConfig(str(tmp_path / "texts.txt"))
    shutil.copytree(studio / "lights-read", tmp_path / "mixed")
    about = checkpoint.load(tmp_path / "mixed").folder / checkpoint.ABOUT
    told, real = json.loads(about.read_text()), checkpoint.load(studio / "lights-real").provenance
    told["provenance"]["recipe"]["data"] += [asdict(texts), *real["recipe"]["data"]]
    told["provenance"]["releases"] += [{"id": read_data(texts)[0].id}, *real["releases"]]
    about.write_text(json.dumps(told))
    pair = {"real": str(studio / "lights-real"), "synthetic": str(tmp_path / "mixed")}
    config = MergeConfig("merged", str(studio / "target"), (SourceConfig(**pair, name="lights"),), scale=1.0)

    (row,) = rows_of(mixture_of(load_part(config.target), [load_source("lights", **pair)], config), config)

    assert row.voices == ("tone/bela",)


def cosine_of(studio: Path, beginning: str) -> float:
    """The cosine between both vectors, of parameters whose names begin so."""
    models = {
        (domain, kind): checkpoint.load(studio / f"{domain}-{kind}").trained()
        for domain in ("greetings", "lights")
        for kind in ("real", "read")
    }
    one, other = (
        np.concatenate(
            [
                (models[domain, "real"][name] - models[domain, "read"][name]).double().numpy().ravel()
                for name in models[domain, "real"]
                if name.startswith(beginning)
            ]
        )
        for domain in ("greetings", "lights")
    )
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_angles_are_those_of_the_models(merge: Callable[..., Result], studio: Path, tmp_path: Path) -> None:
    merge("scale=0.5", "operator.name=ties")

    found = vectors(studio, "--plot", str(tmp_path / "cosines.svg"))

    whole = {(row["one"], row["other"]): row["cosine"] for row in found["cosines"] if row["part"] == ""}
    assert whole["greetings", "greetings"] == pytest.approx(1.0)
    assert whole["greetings", "lights"] == pytest.approx(cosine_of(studio, ""), abs=1e-6)
    parts = {row["part"] for row in found["cosines"]}
    assert {"", "layer=out", "layer=norm", "kind=norm", "kind=other"} == parts
    (out,) = (
        row["cosine"]
        for row in found["cosines"]
        if (row["part"], row["one"], row["other"]) == ("layer=out", "greetings", "lights")
    )
    assert out == pytest.approx(cosine_of(studio, "out."), abs=1e-6)
    one, other = (checkpoint.load(studio / f"greetings-{kind}").trained() for kind in ("real", "read"))
    (row,) = (row for row in found["vectors"] if row["name"] == "greetings")
    assert row["norm"] == pytest.approx(norm({name: one[name] - other[name] for name in one}), rel=1e-5)
    assert (tmp_path / "cosines.svg").read_text().startswith("<?xml")
    assert any(row["name"] == "ties(greetings, lights)" for row in found["vectors"])


def test_vectors_of_other_parameters_have_no_angle_between_them() -> None:
    random = torch.Generator().manual_seed(0)
    wide, narrow = {"dec.w": (3, 2), "enc.w": (4,)}, {"dec.w": (3, 2)}
    weights = {
        key: {name: torch.randn(shape, generator=random) for name, shape in shapes.items()}
        for key, shapes in {"a": wide, "b": narrow, "c": wide}.items()
    }

    found = cosines([vector(key) for key in weights], weights)

    whole = {(row.one, row.other): row.cosine for row in found if not row.part}
    assert set(whole) == {("a", "a"), ("a", "c"), ("c", "c"), ("b", "b")}
    assert {row.part for row in found if row.one == "a"} == {"", "layer=dec", "layer=enc", "kind=other"}
    one, other = (np.concatenate([weights[key][name].numpy().ravel() for name in wide]) for key in "ac")
    assert whole["a", "c"] == pytest.approx(one @ other / np.linalg.norm(one) / np.linalg.norm(other), abs=1e-6)


def vector(name: str) -> TaskVector:
    """The row of a vector of base "base"; its numbers do not matter."""
    return TaskVector(
        id=Id(name), name=name, base_id=Id("base"), method="ctc", operator="difference", members=(), real=None,
        real_sha256=None, real_steps=None, real_releases=(), synthetic=None, synthetic_sha256=None,
        synthetic_steps=None, synthetic_releases=(), voices=(), num_parameters=1, norm=1.0, layers=(), layer_norms=(),
    )  # fmt: skip


@pytest.mark.slow
def test_lambda_is_chosen_and_what_was_tried_is_kept(
    merge: Callable[..., Result], studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = merge(rest="choosing = {grid = [0.0, 0.5]}")

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert {(row["source"], row["scale"]) for row in found["choices"]} == {(n, s) for n in DOMAINS for s in (0.0, 0.5)}
    assert found["scale"] in (0.0, 0.5)
    assert len((tmp_path / "merged" / "choosing.jsonl").read_text().splitlines()) == 4
    assert (tmp_path / "merged" / "choosing.svg").exists()
    assert checkpoint.load(tmp_path / "merged").provenance["merge"]["scale"] == found["scale"]
    monkeypatch.setattr(merging, "choose", lambda *_, **__: pytest.fail("chosen again"))
    assert json.loads(merge(rest="choosing = {grid = [0.0, 0.5]}").stdout) == found


def test_lambda_is_chosen_again_when_its_takes_are_others(
    merge: Callable[..., Result], record: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, end in (("first", "please"), ("then", "now")):
        (tmp_path / place).mkdir()
        for name, texts in DEV.items():
            record(tmp_path / place, f"{name}-dev", texts=[f"{text} {end}" for text in texts], speaker="dina")
    devs = [f"sources.{n}.dev.corpus={tmp_path}/first/corpus" for n in range(len(DOMAINS))]
    chosen: list[float] = []

    def choose(scale: float) -> Any:
        monkeypatch.setattr(merging, "choose", lambda *_, **__: chosen.append(scale) or of_scale(scale))
        done = merge(*devs, rest="choosing = {grid = [0.0, 0.5]}")
        assert done.exit_code == 0, done.output
        about = checkpoint.load(tmp_path / "merged").provenance
        return (
            json.loads(done.stdout)["scale"],
            about["merge"]["scale"],
            [each["release"] for each in about["chosen_by"]],
        )

    first, again = choose(0.5), choose(0.0)
    (tmp_path / "first").rename(tmp_path / "away")
    (tmp_path / "then").rename(tmp_path / "first")
    then = choose(0.0)
    (tmp_path / "first").rename(tmp_path / "then")
    (tmp_path / "away").rename(tmp_path / "first")
    back = choose(0.0)

    assert first == again
    assert (first[:2], then[:2], back[:2]) == ((0.5, 0.5), (0.0, 0.0), (0.0, 0.0))
    assert chosen == [0.5, 0.0, 0.0]
    assert back[2] == first[2] != then[2]


def test_lambda_is_chosen_again_when_errors_are_counted_otherwise(
    merge: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for normaliser, scale in (("one", 0.5), ("one", 0.0), ("another", 0.0)):
        monkeypatch.setattr(devs, "NORMALISER", normaliser)
        monkeypatch.setattr(merging, "choose", lambda *_, scale=scale, **__: of_scale(scale))
        done = merge(rest="choosing = {grid = [0.0, 0.5]}")
        assert done.exit_code == 0, done.output
        found.append(
            (json.loads(done.stdout)["scale"], checkpoint.load(tmp_path / "merged").provenance["merge"]["scale"])
        )

    assert found == [(0.5, 0.5), (0.5, 0.5), (0.0, 0.0)]


@pytest.mark.parametrize("damaged", ["", "{", '{"source": "lights"}\n'])
def test_lambda_is_chosen_again_when_what_was_chosen_is_damaged(
    merge: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: str
) -> None:
    monkeypatch.setattr(merging, "choose", lambda *_, **__: of_scale(0.5))
    choices = tmp_path / "merged" / "choosing.jsonl"
    whole = merge(rest="choosing = {grid = [0.0, 0.5]}")
    kept = choices.read_bytes()
    choices.write_text(damaged)

    again = merge(rest="choosing = {grid = [0.0, 0.5]}")

    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout) == json.loads(whole.stdout)
    assert choices.read_bytes() == kept


def of_scale(scale: float) -> Chosen:
    rows = [Choice(name, each, abs(each - scale), None, None, 2, 4) for name in DOMAINS for each in (0.0, 0.5)]
    return chosen_of(rows)


def test_takes_that_a_source_has_had_are_nothing_to_choose_on(merge: Callable[..., Result]) -> None:
    refused = merge("sources.0.dev.release=lights-real", rest="choosing = {grid = [0.0, 0.5]}")

    assert "known from training" in str(refused.exception)


def test_a_corrected_name_is_that_of_the_row_and_of_all_that_it_is_in(
    merge: Callable[..., Result], studio: Path, tmp_path: Path
) -> None:
    def rows() -> dict[str, TaskVector]:
        return {row.id: row for row in vectors_in(studio / "corpus")}

    for change in ("operator.name=add", "operator.name=ties"):
        assert merge("scale=0.5", change, f"folder={tmp_path / change}").exit_code == 0
    before = rows()
    corrected = merge("scale=0.5", "sources.0.name=hellos", f"folder={tmp_path}/corrected")
    after = rows()
    merge("scale=0.5", f"folder={tmp_path}/back")

    assert corrected.exit_code == 0, corrected.output
    assert before.keys() == after.keys()
    assert [row.name for row in before.values()] != [row.name for row in after.values()]
    assert {id_: row.name.replace("greetings", "hellos") for id_, row in before.items()} == {
        id_: row.name for id_, row in after.items()
    }
    assert {"hellos", "lights", "add(hellos, lights)", "ties(hellos, lights)"} <= {row.name for row in after.values()}
    assert rows() == before


def test_vectors_are_found_from_any_folder_and_a_row_of_before_is_mended(
    merge: Callable[..., Result], studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(studio)
    relative = [f"sources.0.{role}=greetings-{kind}" for role, kind in (("real", "real"), ("synthetic", "read"))]
    with Catalog.create(studio / "corpus") as catalog, catalog.job("test"):
        catalog.lake.run("UPDATE task_vector SET real = 'greetings-real/step-00000001' WHERE name = 'greetings'")

    done = merge("scale=0.5", *relative)
    monkeypatch.chdir(tmp_path)
    found = registered(studio / "corpus")

    assert done.exit_code == 0, done.output
    assert not found.gone
    (row,) = (row for row in found.vectors if row.name == "greetings")
    assert row.real == str(studio.resolve() / "greetings-real" / "step-00000001")
    assert ("", "greetings", "lights") in {(cosine.part, cosine.one, cosine.other) for cosine in found.cosines}


def test_a_vector_that_is_kept_has_cosines_when_its_models_are_gone(
    merge: Callable[..., Result], studio: Path, tmp_path: Path
) -> None:
    kept = merge("scale=0.5", f"vectors={tmp_path}/vectors")
    before = registered(studio / "corpus")
    (studio / "lights-real").rename(studio / "away")

    try:
        found = registered(studio / "corpus")
        again = merge("scale=0.5", f"vectors={tmp_path}/vectors")
    finally:
        (studio / "away").rename(studio / "lights-real")
    merge("scale=0.5", f"folder={tmp_path}/back")

    assert kept.exit_code == 0, kept.output
    assert not before.gone
    assert found == before
    assert "lights-real is no checkpoint" in str(again.exception)


def test_a_model_that_is_gone_leaves_its_row_and_no_cosine(
    merge: Callable[..., Result], studio: Path, tmp_path: Path
) -> None:
    merge("scale=0.5")
    (studio / "lights-real").rename(studio / "away")

    try:
        found = registered(studio / "corpus")
        told = CliRunner().invoke(app, ["vectors", "-c", str(studio / "corpus")])
    finally:
        (studio / "away").rename(studio / "lights-real")

    assert {"lights", "add(greetings, lights)"} <= {row.name for row in found.vectors if row.id in found.gone}
    assert {row.one for row in found.cosines} == {"greetings"}
    assert "lights has no cosines" in told.stdout


def test_a_model_that_is_damaged_leaves_its_row_and_no_cosine(merge: Callable[..., Result], studio: Path) -> None:
    merge("scale=0.5")
    stored = checkpoint.load(studio / "lights-real").folder / "trained.safetensors"
    whole = stored.read_bytes()
    stored.write_bytes(whole[:40])

    try:
        told = CliRunner().invoke(app, ["vectors", "-c", str(studio / "corpus")])
    finally:
        stored.write_bytes(whole)

    assert told.exit_code == 0, told.output
    assert f"lights has no cosines: {stored} cannot be read" in told.stdout


@pytest.mark.parametrize(("to", "message"), [("x.xyz", r"ends in \..*, \.svg"), ("no/x.svg", "there is no folder")])
def test_what_cannot_be_drawn_is_told_before_anything_is_read(tmp_path: Path, to: str, message: str) -> None:
    refused = CliRunner().invoke(app, ["vectors", "-c", "nowhere", "--plot", str(tmp_path / to)])

    assert isinstance(refused.exception, UsageError)
    assert re.search(message, str(refused.exception))


def test_a_corpus_without_vectors_says_so_and_draws_nothing(produce: Callable[..., Path], tmp_path: Path) -> None:
    corpus = produce(tmp_path, "told", prompts=["good morning"], speakers=["anna"])

    said = CliRunner().invoke(app, ["vectors", "-c", str(corpus)])
    drawn = CliRunner().invoke(app, ["vectors", "-c", str(corpus), "--plot", str(tmp_path / "x.svg")])

    assert "no task vectors yet" in said.stdout
    assert isinstance(drawn.exception, TrainingError)


def test_two_vectors_of_one_name_are_told_apart(studio: Path) -> None:
    found = registered(studio / "corpus")
    first, *others = found.vectors
    again = replace(first, id=Id("f" * 36))

    told = told_vectors(replace(found, vectors=(first, again, *others)))

    assert f"{first.name} {first.id[:8]} " in told
    assert f"{first.name} ffffffff " in told
    assert first.id[:8] not in told_vectors(found)
