"""What experiments stand on: made once, in its order, wherever it lies."""

import re
from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import Thread

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

    def train(recipe: TrainRecipe, *, progress: object) -> None:
        done.append(recipe.name)
        done.extend(str(data) for data in recipe.data)

    def trained(name: str, work: Path, start: Path, seed: int) -> Path:
        done.append(f"{name}-{seed} from {start.name}")
        return work / f"{name}-{seed}"

    def run(command: list[str], *, check: bool) -> None:
        assert check
        done.append(" ".join([command[1], Path(command[2]).stem, *command[3:]]))

    monkeypatch.setattr(ground, "train", train)
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
    page = (Path(__file__).parents[2] / "docs" / "results" / "slam_asr.md").read_text()
    lines = re.findall(r"^synthgen ((?:run|tdsc) \$R/.*prompts.*)$", page, flags=re.MULTILINE)
    said = [line.replace("$R/", "").replace(".toml", "").replace("$W", str(tmp_path)) for line in lines]
    documented = {line.rpartition("corpus=")[2].split()[0].rpartition("/")[2]: line for line in said}

    Ground(tmp_path, Path("speech"), Path("texts")).corpora(READ)

    prompts, *commands = told
    assert prompts == "prompts"
    assert documented.keys() == READ.keys()
    for name, command in zip(READ, commands, strict=True):
        words = set(command.split()) - {"-o", f"name={name}"}
        assert words == set(documented[name].split()) - {"-o", f"name={name}"}
        assert f"name={name}" in command or READ[name][-1] != name


def test_a_corpus_that_was_killed_while_it_was_made_is_made(told: list[str], tmp_path: Path) -> None:
    (tmp_path / "long").mkdir()

    Ground(tmp_path, Path("speech"), Path("texts")).corpora(["long"])

    assert len(told) == 2


def test_one_experiment_at_a_time_makes_what_all_stand_on(
    told: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "ground.lock").open("w") as file:
        flock(file, LOCK_EX)
        other = Thread(target=Ground(tmp_path, Path("speech"), Path("texts")).corpora, args=([],))
        other.start()
        other.join(0.5)
        assert told == []
        assert other.is_alive()
    other.join(10)

    assert told == ["prompts"]
    assert f"at work in {tmp_path}; waiting" in capfd.readouterr().err


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
