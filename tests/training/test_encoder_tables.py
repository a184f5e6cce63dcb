"""Encoders out of recipe tables and folders."""

import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import torch
from transformers import HubertConfig as HubertShape
from transformers import HubertModel, Wav2Vec2FeatureExtractor, WavLMModel, WhisperFeatureExtractor, WhisperModel
from transformers import WavLMConfig as WavLmShape
from transformers import WhisperConfig as WhisperShape

from catalogs.config import load_registered, parse
from catalogs.errors import EngineError, ModelMissing, RecipeError, UsageError
from catalogs.models.pretrained import quiet
from training.backbones.encoders import GROUP, Encoder, HubertConfig, TinyEncoderConfig, WavLmConfig, WhisperConfig
from training.backbones.frozen import seeded
from training.backbones.language_models import GROUP as LANGUAGE_MODELS

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
NOISE = torch.randn(12_345, generator=torch.Generator().manual_seed(0)) * 0.2 + 0.1


@pytest.fixture
def wavlm(tmp_path: Path) -> Path:
    """A folder as the hub has it: the group norm of the base size, and an extractor that does not normalise."""
    with seeded(0), quiet():
        shape = WavLmShape(conv_dim=(16,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, **SMALL)
        WavLMModel(shape).save_pretrained(tmp_path)
    Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(tmp_path)
    return tmp_path


def features(encoder: Encoder, wave: torch.Tensor = NOISE) -> torch.Tensor:
    return encoder.encode([wave], range(encoder.num_layers + 1))[0]


def test_a_folder_gives_what_transformers_makes_of_it(wavlm: Path) -> None:
    encoder = WavLmConfig(checkpoint=str(wavlm), device="cpu").build()

    with quiet(), torch.no_grad():
        whole = WavLMModel.from_pretrained(wavlm).eval()(NOISE[None], output_hidden_states=True)

    expected = torch.cat([*whole.hidden_states[:-1], whole.last_hidden_state])
    torch.testing.assert_close(features(encoder), expected, rtol=1e-4, atol=1e-5)


def test_the_large_size_gives_what_transformers_makes_of_it(tmp_path: Path) -> None:
    shape = HubertShape(
        conv_dim=(16,) * 7, conv_bias=True, feat_extract_norm="layer", do_stable_layer_norm=True,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, **SMALL,
    )  # fmt: skip
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
    with seeded(0), quiet():
        HubertModel(shape).save_pretrained(tmp_path)
    extractor.save_pretrained(tmp_path)

    encoder = HubertConfig(checkpoint=str(tmp_path), device="cpu").build()

    values = extractor(NOISE.numpy(), sampling_rate=16_000, return_tensors="pt").input_values
    with quiet(), torch.no_grad():
        whole = HubertModel.from_pretrained(tmp_path).eval()(values, output_hidden_states=True)
    expected = torch.cat([*whole.hidden_states[:-1], whole.last_hidden_state])
    torch.testing.assert_close(features(encoder), expected, rtol=1e-4, atol=1e-5)


def test_a_whisper_folder_gives_what_transformers_makes_of_it(tmp_path: Path) -> None:
    shape = WhisperShape(
        d_model=32, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=48, decoder_ffn_dim=48, num_mel_bins=16, max_source_positions=100,
    )  # fmt: skip
    extractor = WhisperFeatureExtractor(feature_size=16, chunk_length=2)
    with seeded(0), quiet():
        model = WhisperModel(shape).eval()
        model.save_pretrained(tmp_path)
    extractor.save_pretrained(tmp_path)

    encoder = WhisperConfig(checkpoint=str(tmp_path), device="cpu").build()

    mel = extractor(NOISE.numpy(), sampling_rate=16_000, return_tensors="pt").input_features
    with torch.no_grad():
        last = model.encoder(mel).last_hidden_state[0]
    torch.testing.assert_close(features(encoder)[-1], last[: -(-len(NOISE) // 320)], rtol=1e-4, atol=1e-5)


def test_waves_are_normalised_as_the_checkpoint_says_unless_the_table_does(wavlm: Path) -> None:
    as_told, forced = (WavLmConfig(checkpoint=str(wavlm), normalize=value).build() for value in (None, True))
    louder, quieter = NOISE * 3, NOISE / 300

    torch.testing.assert_close(features(forced, louder), features(forced), rtol=1e-3, atol=1e-4)
    assert (features(as_told, quieter) - features(forced, quieter)).abs().max() > 1e-3
    assert as_told.id != forced.id
    assert as_told.id == WavLmConfig(checkpoint=str(wavlm), normalize=False).build().id


def test_a_folder_that_does_not_say_how_to_normalise_is_asked_about(wavlm: Path) -> None:
    (wavlm / "preprocessor_config.json").unlink()

    with pytest.raises(ModelMissing, match="normalize"):
        WavLmConfig(checkpoint=str(wavlm)).build()


def test_another_model_than_the_table_says_is_refused(wavlm: Path) -> None:
    with pytest.raises(EngineError, match='name = "wavlm"'):
        HubertConfig(checkpoint=str(wavlm)).build()
    with pytest.raises(EngineError):
        WhisperConfig(checkpoint=str(wavlm)).build()


def test_other_weights_have_another_id(wavlm: Path) -> None:
    before = WavLmConfig(checkpoint=str(wavlm)).build()
    again = WavLmConfig(checkpoint=str(wavlm)).build()
    before.module.get_parameter("encoder.layer_norm.weight").data.add_(0.5)
    with quiet():
        before.module.save_pretrained(wavlm)

    after = WavLmConfig(checkpoint=str(wavlm)).build()

    assert again.id == before.id != after.id


def test_a_hub_id_must_be_pinned() -> None:
    with pytest.raises(UsageError, match="commit"):
        WavLmConfig(checkpoint="microsoft/wavlm-large").build()
    with pytest.raises(ModelMissing):
        HubertConfig(checkpoint="/nowhere/hubert").build()


def test_a_package_that_is_missing_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "training.backbones.tiny", None)

    with pytest.raises(EngineError, match=r"pip install 'synthgen-studio\[train\]'"):
        TinyEncoderConfig().build()


def test_a_table_is_strict() -> None:
    assert parse(WhisperConfig, {"batch": 2}, source="recipe") == WhisperConfig(batch=2)
    for config, table, told in (
        (WhisperConfig, {"batches": 2}, "did you mean 'batch'"),
        (WhisperConfig, {"batch": 0}, "batch = 0"),
        (WavLmConfig, {}, "checkpoint is missing"),
        (TinyEncoderConfig, {"width": 9}, "eights"),
        (TinyEncoderConfig, {"kind": "huge"}, "wavlm-large"),
    ):
        with pytest.raises(RecipeError, match=told):
            parse(config, table, source="recipe")


@pytest.mark.parametrize("group", [GROUP, LANGUAGE_MODELS])
def test_every_backbone_is_registered_by_its_name(group: str) -> None:
    declared = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["entry-points"][group]

    assert {point.name: point.value for point in entry_points(group=group)} == declared
    for name in declared:
        config = load_registered(group, name, source="recipe")
        assert config.__dataclass_params__.frozen
        assert config.__dataclass_fields__["name"].default == name
