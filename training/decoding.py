"""Decoding: what a speech language model answers, greedily or by beam search, whole batches at a time.

Each utterance has its own limit of tokens, which grows with its audio, so that its answer does not depend on its
company. Search and cache are those of `transformers`, with none of the settings that a language model comes with.

B utterances · R rows of a search (beams of all utterances) · S columns · W width of the language model
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from catalogs.ids import Id
from training.objective import Utterance
from training.slam_asr import SlamAsr


@dataclass(frozen=True, slots=True)
class DecodingConfig:
    """Settings of decoding.

    ``beams`` 1 is greedy. A sum of log probabilities is divided by the number of tokens to the power of
    ``length_penalty``. An answer ends at the latest after ``spare_tokens`` and ``tokens_per_frame`` for each frame of
    the encoder (0.25 of 50 frames a second: twice the fastest speech), and never has more than ``max_tokens``, EOS
    included.
    """

    beams: int = 4
    length_penalty: float = 1.0
    tokens_per_frame: float = 0.25
    spare_tokens: int = 10
    max_tokens: int = 200

    def __post_init__(self) -> None:
        if self.beams < 1 or self.max_tokens < 1:
            raise ValueError("decoding.beams and decoding.max_tokens must be at least 1")
        if not isfinite(self.length_penalty):
            raise ValueError("decoding.length_penalty must be a finite number")
        if self.spare_tokens < 1 or not (isfinite(self.tokens_per_frame) and self.tokens_per_frame >= 0):
            raise ValueError("decoding.spare_tokens must be at least 1, and decoding.tokens_per_frame not negative")

    def limit(self, num_frames: int) -> int:
        """How many tokens the answer to so many frames may have."""
        return min(self.max_tokens, self.spare_tokens + ceil(self.tokens_per_frame * num_frames))


@dataclass(frozen=True, slots=True)
class Answer:
    """What was heard in a take. ``hit_limit``: it was cut at its limit, as it had not come to an end."""

    take_id: Id
    text: str
    num_tokens: int
    hit_limit: bool


def decode(asr: SlamAsr, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
    """The answers to a batch of utterances, in their order; their texts are not looked at.

    Raises:
        TrainingError: for an utterance without features, or one that is too short or too long.
    """
    if not utterances:
        return []
    batch = asr.questions(utterances)
    limits = [settings.limit(int(num_frames)) for num_frames in batch.tensors["lengths"]]
    device = next(asr.module.projector.parameters()).device
    with torch.inference_mode(), _at_rest(asr.module):
        inputs = asr.module.inputs(batch.to(device).tensors)
        found = _search(asr.module.lm, inputs, limits, settings=settings, eos=asr.template.eos)
    answers = []
    for take_id, row, limit in zip(batch.take_ids, found.tolist(), limits, strict=True):
        tokens = row[:limit]
        ended = asr.template.eos in tokens
        tokens = tokens[: tokens.index(asr.template.eos)] if ended else tokens
        answers.append(Answer(take_id, asr.template.read(tokens), len(tokens) + ended, not ended))
    return answers


class _Limits(StoppingCriteria):
    """Ends each utterance's answers at its own limit; all its rows lie next to each other."""

    def __init__(self, limits: Sequence[int]) -> None:
        self.limits = list(limits)

    def __call__(self, input_ids: Tensor, *_: Any, **__: Any) -> Tensor:
        """Which of the rows (R, tokens so far) have come to their limit, (R,)."""
        limits = torch.tensor(self.limits, device=input_ids.device)
        return limits.repeat_interleave(len(input_ids) // len(limits)) <= input_ids.shape[1]


def _search(lm: Any, inputs: dict[str, Tensor], limits: Sequence[int], *, settings: DecodingConfig, eos: int) -> Tensor:
    """The tokens (B, longest answer) of the best answers; what stands behind an EOS or a limit has no meaning."""
    causal = lm.get_base_model() if hasattr(lm, "get_base_model") else lm  # what peft has wrapped, adapters and all
    search = GenerationConfig(  # type: ignore[no-untyped-call]
        num_beams=settings.beams,
        length_penalty=settings.length_penalty,
        max_new_tokens=max(limits),
        do_sample=False,
        use_cache=True,
        eos_token_id=eos,
        pad_token_id=eos,
    )
    own, causal.generation_config = causal.generation_config, GenerationConfig()  # type: ignore[no-untyped-call]
    try:
        tokens: Tensor = causal.generate(
            inputs_embeds=inputs["inputs_embeds"],
            attention_mask=inputs["attention_mask"],
            generation_config=search,
            stopping_criteria=StoppingCriteriaList([_Limits(limits)]),
        )
    finally:
        causal.generation_config = own
    return tokens


@contextmanager
def _at_rest(module: nn.Module) -> Iterator[None]:
    """The module without dropout; afterwards it trains again if it did."""
    training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(training)
