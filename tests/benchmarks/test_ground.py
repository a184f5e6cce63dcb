"""What experiments stand on: made once, in its order, wherever it lies."""

from pathlib import Path

import pytest

from benchmarks import ground
from benchmarks.ground import MODELS, READ, Ground
from benchmarks.jstip.data import QUESTIONS, SPOKEN, read
from benchmarks.jstip.small import VOICES
from training.recipe import TrainRecipe


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done of it, in order, in the place of doing it."""
    done: list[str] = []

    def fit(recipe: TrainRecipe) -> None:
        done.append(recipe.name)
        done.extend(str(data) for data in recipe.data)

    def trained(name: str, work: Path, start: Path, seed: int) -> Path:
        done.append(f"{name}-{seed} from {start.name}")
        return work / f"{name}-{seed}"

    def run(command: list[str], *, check: bool) -> None:
        assert check
        done.append(" ".join([command[1], Path(command[2]).stem, *command[3:]]))

    monkeypatch.setattr(ground, "fit", fit)
    monkeypatch.setattr(ground.rows, "trained", trained)
    monkeypatch.setattr(ground.rows, "freeze_shares", lambda asr: done.append("shares"))
    monkeypatch.setattr(ground.data, "prepare", lambda speech, texts, to: done.append("prompts"))
    monkeypatch.setattr(ground.subprocess, "run", run)
    return done


def test_a_model_is_trained_after_what_it_goes_on_from_and_what_it_hears(told: list[str], tmp_path: Path) -> None:
    found = Ground(tmp_path / "asr", Path("speech"), Path("texts")).model("synthetic-0")

    assert found == tmp_path / "asr" / "synthetic-0"
    heard = [f"release 'general' of {tmp_path}/asr/general", f"release 'long' of {tmp_path}/asr/long"]
    trained = [step for step in told if step in {"warm", "elsewhere", "shares", *heard} or "from" in step]
    assert trained == ["warm", *heard, "elsewhere", *heard, "shares", "synthetic-0 from elsewhere"]
    assert told.index("prompts") < next(n for n, step in enumerate(told) if step.startswith("run")) < told.index("warm")
    assert told[-3].startswith("tdsc twin")


def test_corpora_are_read_by_the_commands_that_the_page_has(told: list[str], tmp_path: Path) -> None:
    Ground(tmp_path, Path("speech"), Path("texts")).corpora(READ)

    prompts, *commands = told
    assert prompts == "prompts"
    assert [command.split(" -o ") for command in commands] == [
        [f"{verb} {recipe}", f"prompts.0.path={tmp_path / name}.jsonl", f"corpus={tmp_path / name}"]
        + ([f"name={name}"] if verb == "run" else [])
        for name, (verb, recipe, _) in READ.items()
    ]


def test_what_has_been_read_is_not_read_again(told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / QUESTIONS).write_text('{"text": "how late is it"}\n')
    read(QUESTIONS.removesuffix(".jsonl"), tmp_path, VOICES)
    monkeypatch.setattr(ground, "READ", {SPOKEN: ("run", "orders", "questions")})
    Ground(tmp_path, Path("speech"), Path("texts")).corpora([SPOKEN])
    assert told == ["prompts"]

    monkeypatch.setattr(ground, "READ", {SPOKEN: ("run", "orders", "others")})
    Ground(tmp_path, Path("speech"), Path("texts")).corpora([SPOKEN])
    assert len(told) == 3, "a corpus without its release is gone on with"


@pytest.mark.parametrize("name", MODELS)
def test_recipes_of_models_are_there(name: str, told: list[str]) -> None:
    assert Ground(Path("corpora/asr"), Path("speech"), Path("texts")).model(name) == Path("corpora/asr/models") / name
