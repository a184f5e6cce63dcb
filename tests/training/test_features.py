from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from catalogs.errors import TrainingError
from training.features import FeatureStore, as_stored
from training.sampling import Draw

from .conftest import make_features, make_member

DRAWS = [Draw(make_member(number), variant) for number in range(8) for variant in (0, 1)]


def encode(draws: Sequence[Draw]) -> list[torch.Tensor]:
    return [make_features(draw) for draw in draws]


def test_what_was_encoded_is_read_back_and_never_encoded_again(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, "encoder")
    store.fill(DRAWS, encode)

    again = FeatureStore(tmp_path, "encoder")
    again.fill(DRAWS, lambda _: pytest.fail("encoded again"))

    assert not again.missing(DRAWS)
    assert all(torch.equal(again.read(draw), make_features(draw)) for draw in DRAWS)
    again.close()


def test_encoders_do_not_share_features(tmp_path: Path) -> None:
    FeatureStore(tmp_path, "one").fill(DRAWS, encode)

    assert FeatureStore(tmp_path, "other").missing(DRAWS) == DRAWS


def test_a_killed_run_has_lost_only_what_was_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.features.PER_FILE", 5)
    calls = 0

    def dying(draws: Sequence[Draw]) -> list[torch.Tensor]:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return encode(draws)

    with pytest.raises(KeyboardInterrupt):
        FeatureStore(tmp_path, "encoder").fill(DRAWS, dying)

    store = FeatureStore(tmp_path, "encoder")
    assert len(store.missing(DRAWS)) == len(DRAWS) - 10
    store.fill(DRAWS, encode)
    assert all(draw in store for draw in DRAWS)


def test_a_damaged_file_is_set_aside_and_encoded_again(tmp_path: Path) -> None:
    FeatureStore(tmp_path, "encoder").fill(DRAWS, encode)
    (part,) = tmp_path.glob("encoder/part-*")
    part.write_bytes(part.read_bytes()[: len(part.read_bytes()) // 2])

    store = FeatureStore(tmp_path, "encoder")

    assert store.missing(DRAWS) == DRAWS
    store.fill(DRAWS, encode)
    assert torch.equal(store.read(DRAWS[3]), make_features(DRAWS[3]))


@pytest.mark.parametrize("content", [None, b"half"])
def test_a_file_that_is_gone_or_damaged_since_says_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    FeatureStore(tmp_path, "encoder").fill(DRAWS, encode)
    (part,) = tmp_path.glob("encoder/part-*")
    store = FeatureStore(tmp_path, "encoder")
    part.unlink()
    if content:
        part.write_bytes(content)

    with pytest.raises(TrainingError, match=rf"{part.name} .*give the same command again"):
        store.read(DRAWS[0])


def test_a_file_that_another_process_sets_aside_is_encoded_again(tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "part-gone.safetensors").symlink_to(tmp_path / "nowhere")

    assert FeatureStore(tmp_path, "encoder").missing(DRAWS) == DRAWS


def test_a_take_recorded_anew_is_another_one(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, "encoder")
    store.fill(DRAWS, encode)

    with pytest.raises(TrainingError, match="take-0040"):
        store.read(Draw(make_member(40), 0))
    assert len({store.key_of(draw) for draw in DRAWS}) == len(DRAWS)


def test_features_may_be_kept_at_half_the_size(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, "encoder")
    store.fill(DRAWS[:1], lambda draws: [as_stored(f, "bfloat16") for f in encode(draws)])

    assert store.read(DRAWS[0]).dtype == torch.bfloat16
