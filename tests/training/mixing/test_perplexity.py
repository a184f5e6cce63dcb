"""What listening has cost: texts that training has had are none of those it is told by, in whatever language."""

from pathlib import Path
from typing import Any

import pytest

from catalogs.errors import DataLeak
from catalogs.progress import SILENT
from training.evaluation import perplexity as module
from training.evaluation.perplexity import Perplexity, perplexity
from training.recipe import parse_recipe
from training.session import train

GERMAN = ["Die Straße ist zweiundzwanzig Meter lang.", "Der Bäcker öffnet um sieben Uhr."]
ENGLISH = ["The colour is fifty shades darker."]
OTHERS = ["Schöne Grüße aus München"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model that has read texts of two languages."""
    folder = tmp_path_factory.mktemp("perplexity")
    for language, texts in (("de", GERMAN), ("en", ENGLISH)):
        (folder / f"{language}.txt").write_text("\n".join(texts), encoding="utf-8")
    table: dict[str, Any] = {
        "name": "read",
        "folder": str(folder / "read"),
        "data": [{"texts": str(folder / f"{language}.txt"), "language": language} for language in ("de", "en")],
        "encoder": {"name": "tiny"},
        "features": {"folder": str(folder / "features")},
        "objective": {"method": "jstip", "language_model": {"name": "tiny", "lora": {"r": 2}}, "context": 128},
        "mixture": {"asr": 0.0, "interleaved": 0.0, "text": 1.0, "batch_tokens": 100},
        "loop": {"steps": 1, "threads": 1, "log_every": 1, "save_every": 1},
    }
    return train(parse_recipe(table, source="test"), progress=SILENT).folder


def weighed(trained: Path, tmp_path: Path, texts: list[str]) -> Perplexity:
    (tmp_path / "held-out.txt").write_text("\n".join(texts), encoding="utf-8")
    return perplexity(trained, tmp_path / "held-out.txt", progress=SILENT)


def test_a_text_is_known_in_each_language_that_training_has_had(trained: Path, tmp_path: Path) -> None:
    said = ["die Strasse ist 22 Meter lang", "the color is 50 shades darker"]

    found = weighed(trained, tmp_path, [*said, *GERMAN, *OTHERS])

    assert (found.num_texts, found.left_out) == (1, 4)
    with pytest.raises(DataLeak, match="all 3 texts"):
        weighed(trained, tmp_path, [*GERMAN, *ENGLISH])


def test_of_a_text_counts_what_the_language_model_can_read(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = weighed(trained, tmp_path, OTHERS)
    monkeypatch.setattr(module, "room_in", lambda _: 8)

    cut = weighed(trained, tmp_path, OTHERS)

    assert whole.num_tokens == len(OTHERS[0].encode())
    assert cut.num_tokens == 7
