"""Whisper's texts: the tokens that it reads and writes, and how it is let write.

With "labels" it writes what `training.slu.sequence` renders: what is meant, and then the text.

B utterances · U tokens of the longest of them
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import GenerationConfig, GenerationMixin, StoppingCriteriaList

from catalogs.errors import TrainingError
from catalogs.ids import Id
from training.answering import Answer, DecodingConfig
from training.decoding import Limits
from training.modes import at_rest
from training.objective import Utterance
from training.padding import IGNORED
from training.slu.sequence import rendered, understood

Writes: TypeAlias = Literal["text", "labels"]
"""What is written of an utterance: its text, or its labels and then its text."""

LABEL_TOKENS = 100
"""The room of labels where no other is asked for, in tokens."""


def check_room(room: int | None) -> None:
    """Refuse what is no number of tokens.

    Raises:
        ValueError: if it is negative.
    """
    if room is not None and room < 0:
        raise ValueError(f"objective.room = {room}: expected a number of tokens, from 0")


class WhisperText:
    """Texts of a ``language`` as a Whisper writes them; ``module`` says which tokens it has, and how many it writes.

    Labels may take ``room`` tokens beside those of the text, None for `LABEL_TOKENS`.
    """

    def __init__(
        self, module: Any, tokenizer: Any, *, language: str, writes: Writes = "text", room: int | None = None
    ) -> None:
        self._tokenizer, self._has_labels = tokenizer, writes == "labels"
        self._room = (LABEL_TOKENS if room is None else room) if self._has_labels else 0
        self._begin = _beginning(tokenizer, module, language=language)
        self._most = int(module.config.max_target_positions) - len(self._begin)

    def targets(self, utterances: Sequence[Utterance]) -> dict[str, Tensor]:
        """Tokens as they are ``read``, and ``labels`` to be written, (B, U); how many are whose as ``num_targets``.

        Raises:
            TrainingError: for a text of more tokens than it writes.
        """
        rows = [self._tokens(utterance) for utterance in utterances]
        read = [torch.tensor([*self._begin, *row[:-1]]) for row in rows]
        written = [torch.tensor([IGNORED] * (len(self._begin) - 1) + row) for row in rows]
        return {
            "read": pad_sequence(read, batch_first=True, padding_value=self._tokenizer.eos_token_id),
            "labels": pad_sequence(written, batch_first=True, padding_value=IGNORED),
            "num_targets": torch.tensor([len(row) for row in rows], dtype=torch.long),
        }

    def write(
        self,
        take_ids: Sequence[Id],
        frames: Sequence[int],
        settings: DecodingConfig,
        *,
        module: Any,
        heard: Mapping[str, Any],
    ) -> list[Answer]:
        """What a Whisper writes that has heard so many ``frames`` of each take, without the dropout of training.

        ``heard`` is what its `generate` is to be given for that.
        """
        limits = [min(self._most, self._room + settings.limit(number)) for number in frames]
        ends = StoppingCriteriaList([Limits([len(self._begin) + limit for limit in limits])])
        own = module.generation_config
        search = GenerationConfig(  # type: ignore[no-untyped-call]
            num_beams=settings.beams,
            length_penalty=settings.length_penalty,
            max_new_tokens=max(limits),
            do_sample=False,
            suppress_tokens=self._suppressed(own.suppress_tokens),
            begin_suppress_tokens=own.begin_suppress_tokens,
            eos_token_id=self._tokenizer.eos_token_id,
            pad_token_id=self._tokenizer.eos_token_id,
            decoder_start_token_id=self._begin[0],
        )
        prompts = torch.tensor([self._begin] * len(take_ids), device=module.device)
        module.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        try:
            with torch.inference_mode(), at_rest(module):
                # Whisper's own `generate` is for long recordings: it cuts, retries, and takes the last EOS away.
                given = {"decoder_input_ids": prompts, "stopping_criteria": ends, **heard}
                found: Any = GenerationMixin.generate(module, generation_config=search, **given)
        finally:
            module.generation_config = own
        return [self._answer(*each) for each in zip(take_ids, found.tolist(), limits, strict=True)]

    def _answer(self, take_id: Id, tokens: list[int], limit: int) -> Answer:
        """The text of tokens up to the one that ends it, or to the limit."""
        end = self._tokenizer.eos_token_id
        said = tokens[len(self._begin) :][:limit]
        ended = end in said
        said = said[: said.index(end)] if ended else said
        text = self._tokenizer.decode(said, skip_special_tokens=True).strip()
        text, labels = understood(text) if self._has_labels else (text, None)
        return Answer(take_id, text, len(said) + ended, not ended, labels=labels)

    def _suppressed(self, tokens: Sequence[int] | None) -> Sequence[int] | None:
        """Of tokens that Whisper never writes the special ones where it writes labels: "alarm_set|" has others."""
        if tokens is None or not self._has_labels:
            return tokens
        return [token for token in tokens if not self._tokenizer.decode([token], skip_special_tokens=True)]

    def _tokens(self, utterance: Utterance) -> list[int]:
        """What is written, in tokens, as Whisper does it: behind a space, and ended."""
        text = utterance.text.strip()
        said = rendered(text, utterance.labels) if self._has_labels else text
        tokens = self._tokenizer(f" {said}", add_special_tokens=False).input_ids
        if len(tokens) + 1 > self._most:
            raise TrainingError(
                f"take {utterance.take_id}: {len(tokens)} tokens, and Whisper writes {self._most - 1} at most"
            )
        return [*tokens, self._tokenizer.eos_token_id]


def _beginning(tokenizer: Any, module: Any, *, language: str) -> list[int]:
    """What stands before every text: the start, language and task where a model has them, no timestamps."""
    names = ["<|startoftranscript|>", "<|notimestamps|>"]
    if module.generation_config.is_multilingual:
        names[1:1] = [f"<|{language}|>", "<|transcribe|>"]
    tokens = tokenizer.convert_tokens_to_ids(names)
    if None in tokens or (tokenizer.unk_token_id in tokens and tokenizer.unk_token_id != tokenizer.eos_token_id):
        raise TrainingError(f"this Whisper has no token for one of {' '.join(names)}")
    return list(tokens)
