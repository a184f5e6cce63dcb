import threading
from pathlib import Path

import pytest

from catalogs.models import derived


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path))
    return tmp_path


class Maker:
    def __init__(self, text: str = "weights") -> None:
        self.text = text
        self.calls = 0

    def __call__(self, folder: Path) -> None:
        self.calls += 1
        (folder / "model.safetensors").write_text(self.text)


def test_it_is_made_once() -> None:
    make = Maker()

    folders = {derived("tiny-1", make) for _ in range(3)}

    assert make.calls == 1
    assert [(folder / "model.safetensors").read_text() for folder in folders] == ["weights"]


def test_a_damaged_file_is_made_again_and_a_touched_one_is_not() -> None:
    make = Maker()
    path = derived("tiny-1", make) / "model.safetensors"

    path.touch()
    derived("tiny-1", make)
    assert make.calls == 1
    path.write_text("weighty")
    assert derived("tiny-1", make) == path.parent

    assert make.calls == 2
    assert path.read_text() == "weights"


def test_what_dies_on_the_way_leaves_nothing_to_be_mistaken(cache: Path) -> None:
    def die(folder: Path) -> None:
        (folder / "model.safetensors").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        derived("tiny-1", die)

    assert [path for path in cache.rglob("*") if path.name.endswith("safetensors")] == []
    assert (derived("tiny-1", Maker()) / "model.safetensors").read_text() == "weights"


def test_many_who_ask_at_once_get_one() -> None:
    make = Maker()
    threads = [threading.Thread(target=derived, args=("tiny-1", make)) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert make.calls == 1
