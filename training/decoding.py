"""Decoding: what a speech language model answers, greedily, by beam search or by chance, whole batches at a time.

Each utterance has its own limit of tokens, which grows with its audio, so that its answer does not depend on its
company. Search and cache are those of `transformers`, with none of the settings that a language model comes with.

B utterances · R rows of a search (beams or samples of all utterances) · S columns · W width of the language model
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from training.answering import Answer, DecodingConfig
from training.modes import at_rest
from training.objective import Batch, Utterance

if TYPE_CHECKING:
    from training.slam_asr import SlamAsr


def decode(asr: "SlamAsr", utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
    """The answers to a batch of utterances, in their order; their texts are not looked at.

    Raises:
        TrainingError: for an utterance without features, or one that is too short or too long.
    """
    if not utterances:
        return []
    return decode_batch(asr, asr.questions(utterances), settings)


def decode_batch(
    asr: "SlamAsr", batch: Batch, settings: DecodingConfig, *, audio: Tensor | None = None
) -> list[Answer]:
    """The answers to a batch of questions, whose ``lengths`` (B,) are in frames; ``audio`` (B, N, W) are made slots."""
    how = {"num_beams": settings.beams, "length_penalty": settings.length_penalty, "do_sample": False}
    found = _answered(asr, batch, settings, how=how, audio=audio)
    return [
        Answer(take_id, asr.template.read(tokens), len(tokens), asr.template.eos not in tokens)
        for take_id, tokens in zip(batch.take_ids, found, strict=True)
    ]


def sample_batch(
    asr: "SlamAsr", batch: Batch, settings: DecodingConfig, *, each: int, temperature: float
) -> list[list[int]]:
    """So many answers by chance to each question of a batch, those to one next to each other.

    They are tokens, up to an EOS, or to the limit of ``settings`` and without one. All tokens can come, by what the
    language model finds probable; its logits are divided by ``temperature``. The random numbers are torch's own.
    """
    how = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0, "num_return_sequences": each}
    return _answered(asr, batch, settings, how=how)


def _answered(
    asr: "SlamAsr", batch: Batch, settings: DecodingConfig, *, how: Mapping[str, Any], audio: Tensor | None = None
) -> list[list[int]]:
    """The tokens of all answers, EOS included where there is one."""
    limits = [settings.limit(int(num_frames)) for num_frames in batch.tensors["lengths"]]
    device = next(asr.module.projector.parameters()).device
    eos = asr.template.eos
    with torch.inference_mode(), at_rest(asr.module):
        inputs = asr.module.inputs(batch.to(device).tensors, None if audio is None else audio.to(device))
        found = _search(asr.module.lm, inputs, limits, how=how, eos=eos).tolist()
    each = len(found) // len(limits)
    rows = [row[: limits[number // each]] for number, row in enumerate(found)]
    return [row[: row.index(eos) + 1] if eos in row else row for row in rows]


class Limits(StoppingCriteria):
    """Ends each utterance's answers at its own limit; all its rows lie next to each other."""

    def __init__(self, limits: Sequence[int]) -> None:
        self.limits = list(limits)

    def __call__(self, input_ids: Tensor, *_: Any, **__: Any) -> Tensor:
        """Which of the rows (R, tokens so far) have come to their limit, (R,)."""
        limits = torch.tensor(self.limits, device=input_ids.device)
        return limits.repeat_interleave(len(input_ids) // len(limits)) <= input_ids.shape[1]


def _search(lm: Any, inputs: dict[str, Tensor], limits: Sequence[int], *, how: Mapping[str, Any], eos: int) -> Tensor:
    """The tokens (answers, longest answer) that are found; what stands behind an EOS or a limit has no meaning."""
    causal = lm.get_base_model() if hasattr(lm, "get_base_model") else lm  # what peft has wrapped, adapters and all
    search = GenerationConfig(  # type: ignore[no-untyped-call]
        **how, max_new_tokens=max(limits), use_cache=True, eos_token_id=eos, pad_token_id=eos
    )
    own, causal.generation_config = causal.generation_config, GenerationConfig()  # type: ignore[no-untyped-call]
    try:
        tokens: Tensor = causal.generate(
            inputs_embeds=inputs["inputs_embeds"],
            attention_mask=inputs["attention_mask"],
            generation_config=search,
            stopping_criteria=StoppingCriteriaList([Limits(limits)]),
        )
    finally:
        causal.generation_config = own
    return tokens
