"""What an augmentation makes of some takes, to be listened to before anything is trained on it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

import soundfile

from catalogs.errors import UsageError
from catalogs.export.folder import building
from catalogs.ids import Id, seed_of
from training.augmentation.variants import AugmentationConfig
from training.members import RATE_HZ, Member

NOTES = "variants.jsonl"
"""What lies beside the sounds: a line for each, with how it was made."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of a take: its sound, a file of 16-bit PCM at 16 kHz, and the steps that made it, as they were drawn.

    Variant 0 is the take, which no step has changed.
    """

    take_id: Id
    variant: int
    duration_s: float
    sound: Path
    steps: Sequence[dict[str, float | str]]


def sound_out(config: AugmentationConfig, members: Sequence[Member], *, takes: int, to: Path) -> Iterator[Variant]:
    """Write all variants of so many takes, drawn by hash, into the new folder ``to``: all of them, or nothing.

    The noise and the babble that they hear are those of a training on all the members.

    Raises:
        UsageError: if there is no augmentation, nothing to hear, or such a folder already.
        TrainingError: if recordings are not to be had.
        AudioError: if a take's audio is missing or damaged.
        DiskFull: if there is no room.
    """
    heard = [member for member in members if member.place is not None]
    if not config.variants:
        raise UsageError("augmentation.variants is 0: the recipe has no augmentation to listen to")
    if not heard:
        raise UsageError("the recipe's data are texts alone: there is nothing to listen to")
    if to.exists():
        raise UsageError(f"{to} is there already: name a new folder, or remove it")
    augmentation = config.build(heard)
    notes: list[str] = []
    with building(to) as folder:
        for member in sorted(heard, key=lambda m: (seed_of(config.seed, m.take_id), m.take_id))[:takes]:
            for variant in range(config.variants + 1):
                wave, steps = augmentation.made(member, variant)
                sound, pcm = to / f"{member.take_id}.{variant}.wav", BytesIO()
                soundfile.write(pcm, wave, RATE_HZ, subtype="PCM_16", format="WAV")
                folder.write(sound.name, pcm.getvalue())
                made = Variant(member.take_id, variant, len(wave) / RATE_HZ, sound, steps)
                notes.append(json.dumps(asdict(made) | {"sound": sound.name}) + "\n")
                yield made
        folder.write(NOTES, "".join(notes).encode())
        folder.publish()
