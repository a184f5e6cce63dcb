"""Interleaved sequences as rows of the corpus: both variants of every take of a release, and texts alone.

Units are those of a training: what its first two passes through the takes draw with the same settings and seed. A set
is known by all that it is made of, so that the same command has nothing to do a second time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from catalogs.catalog import Catalog
from catalogs.errors import TrainingError
from catalogs.ids import Id, canonical, content_id, seed_of
from catalogs.labels import is_held_out
from catalogs.progress import Progress
from catalogs.records import Interleaving, Prompt, Release, SequenceUnit
from catalogs.release import release_named
from catalogs.sequences import add_units, count_units, interleaving_of, remove_units
from catalogs.stage import Outcome, batched
from training.interleaving.choosing import Choosing, Modality, Part, interleave
from training.interleaving.texts_alone import held_out_beside, id_of_texts, texts_alone
from training.interleaving.timings import timed_members, untimed
from training.interleaving.words import Word
from training.members import Member

VERSION = "3"
"""Of the units that are made of the same words and texts with the same settings."""

BATCH = 1000
"""Takes, or texts, of which the units are written in one transaction."""

_TYPES: dict[str, Literal["word", "segment"]] = {"words": "word", "segments": "segment"}


@dataclass(frozen=True, slots=True)
class InterleaveConfig:
    """Of which takes sequences are made, and how; ``split`` None is the whole release.

    ``texts`` is a file of texts or the name of a release, each text of which is a sequence by itself; ``language`` is
    that of texts which name none.
    """

    release: str
    split: str | None = None
    choosing: Choosing = field(default_factory=Choosing)
    seed: int = 0
    texts: str | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class InterleaveReport:
    """The set, and how many of its units were not there yet; 0 if all of it was."""

    interleaving: Interleaving
    num_added: int


def interleave_release(
    folder: Path,
    config: InterleaveConfig,
    *,
    progress: Progress,
    check: Callable[[Catalog, Interleaving], object] | None = None,
) -> InterleaveReport:
    """Make the sequences of a release rows of its corpus, those that are not there yet.

    That asks for no right to write the corpus alone. ``check`` is given the set before any row of it is made, and may
    raise what then prevents it.

    Raises:
        CorpusMissing: if there is no such corpus.
        ReleaseError: if there is no such release, or nothing of the split in it.
        InputError: if a file of texts cannot be read.
        TrainingError: if no take has word times, some are no good, or they or the texts change meanwhile.
    """
    with Catalog.open(folder) as catalog:
        release = release_named(catalog, config.release, split=config.split)
        asked = _described(catalog, release, config, progress)
        known = interleaving_of(catalog, asked.id)
        if known is None and check is not None:
            check(catalog, asked)
    if known is not None:
        return InterleaveReport(known, 0)
    progress.start("interleaving", asked.num_takes)
    with Catalog.create(folder) as catalog:
        num_before = count_units(catalog, asked.id)
        num_sequences, num_added = _add_takes(catalog, release, asked, config=config, progress=progress)
        made = replace(asked, num_sequences=num_sequences)
        if config.texts is not None:
            made, num_more = _add_texts(catalog, release, made, config.texts, language=config.language)
            num_added += num_more
            if id_of_texts(catalog, config.texts, language=config.language) != asked.texts_id:
                raise _changed(catalog, asked, f"the texts of {config.texts}")
        _complete(catalog, made, num_units=num_before + num_added)
    progress.finish()
    return InterleaveReport(made, num_added)


def sequences_of(member: Member, words: Sequence[Word], config: InterleaveConfig) -> Iterator[tuple[bool, list[Part]]]:
    """The variants of a take in which something is heard: whether it is the one that is heard first, and its parts.

    The second is left out where entities or word times have made it the same as the first.
    """
    first: list[Modality] = []
    for heard_first in (True, False):
        parts = interleave(
            words,
            config.choosing,
            take_id=member.take_id,
            seed=seed_of(config.seed, 0),
            heard_first=heard_first,
            entities=_entities(member, config),
        )
        modalities = [part.modality for part in parts]
        if "speech" in modalities and modalities != first:
            yield heard_first, parts
        first = modalities


def _described(catalog: Catalog, release: Release, config: InterleaveConfig, progress: Progress) -> Interleaving:
    """The set as it is known before anything is made: its id covers every word and its times, and every text."""
    num_takes = num_untimed = 0
    timed = content_id("timings")
    progress.start("reading word times", release.num_takes)
    for batch in batched(timed_members(catalog, release, split=config.split), BATCH):
        for member, words in batch:
            if words is None:
                num_untimed += 1
                continue
            num_takes += 1
            timed = _hashed(timed, member, words, config)
        progress.receive(Outcome(items=len(batch)))
    if not num_takes + num_untimed:
        raise TrainingError(f"release {release.name!r} has no takes")
    if not num_takes:
        raise untimed(catalog, release)
    texts_id = None if config.texts is None else id_of_texts(catalog, config.texts, language=config.language)
    return Interleaving(
        id=_id_of(release, config, timed=timed, texts_id=texts_id), release_id=release.id, split=config.split,
        choosing=canonical(asdict(config.choosing)), seed=config.seed, version=VERSION,
        texts=config.texts, texts_id=texts_id, num_takes=num_takes, num_untimed=num_untimed, num_texts=0,
        num_held_out=0, num_sequences=0,
    )  # fmt: skip


def _complete(catalog: Catalog, made: Interleaving, *, num_units: int) -> None:
    """Add the row of a set, unless somebody has removed units of it."""
    with catalog.lake.transaction():
        if count_units(catalog, made.id) < num_units:
            raise TrainingError(f"units of set {made.id} were removed meanwhile; run the same command again")
        catalog.add([made])


def _add_takes(
    catalog: Catalog, release: Release, asked: Interleaving, *, config: InterleaveConfig, progress: Progress
) -> tuple[int, int]:
    """How many sequences the takes have, and how many units were not there yet."""
    num_sequences = num_added = 0
    timed = content_id("timings")
    found = (pair for pair in timed_members(catalog, release, split=config.split) if pair[1] is not None)
    for batch in batched(found, BATCH):
        units: list[SequenceUnit] = []
        for member, words in batch:
            timed = _hashed(timed, member, words, config)
            for heard_first, parts in sequences_of(member, words, config):
                units += _units(asked.id, member.take_id, parts, words=words, heard_first=heard_first)
                num_sequences += 1
        num_added += add_units(catalog, units)
        progress.receive(Outcome(items=len(batch)))
    if _id_of(release, config, timed=timed, texts_id=asked.texts_id) != asked.id:
        raise _changed(catalog, asked, f"word times of release {release.name!r}")
    return num_sequences, num_added


def _id_of(release: Release, config: InterleaveConfig, *, timed: Id, texts_id: Id | None) -> Id:
    choosing = canonical(asdict(config.choosing))
    return content_id("interleaving", release.id, config.split, choosing, config.seed, VERSION, timed, texts_id)


def _hashed(timed: Id, member: Member, words: Sequence[Word], config: InterleaveConfig) -> Id:
    """A hash of a take's words and their times, and of those before it."""
    said = [(word.text, word.start_s, word.end_s, word.confidence) for word in words]
    return content_id("timings", timed, member.take_id, said, _entities(member, config))


def _changed(catalog: Catalog, asked: Interleaving, what: str) -> TrainingError:
    """The error of a set that was made of other things than it is known by, none of which is kept."""
    remove_units(catalog, asked.id)
    return TrainingError(f"{what} changed meanwhile, and nothing of the set was kept; run the same command again")


def _add_texts(
    catalog: Catalog, release: Release, made: Interleaving, texts: str, *, language: str
) -> tuple[Interleaving, int]:
    """The set with its texts counted, and how many units were not there yet; texts are kept as prompts are."""
    num_texts = num_held_out = num_added = 0
    held_out = held_out_beside(catalog, release, texts, language=language)
    for batch in batched(texts_alone(catalog, texts, language=language), BATCH):
        prompts = [p for p in batch if not is_held_out(p.split) and not held_out.have(p.text, p.language)]
        num_texts += len(prompts)
        num_held_out += len(batch) - len(prompts)
        with catalog.lake.transaction():
            catalog.add(prompts)
            num_added += add_units(catalog, [_text(made.id, prompt) for prompt in prompts])
    num_sequences = made.num_sequences + num_texts
    return replace(made, num_texts=num_texts, num_held_out=num_held_out, num_sequences=num_sequences), num_added


def _entities(member: Member, config: InterleaveConfig) -> tuple[str, ...]:
    """The values that are said in a take, if they decide what is heard."""
    if config.choosing.entity_heard is None:
        return ()
    return tuple(dict.fromkeys(slot.value for slot in member.labels.values))


def _units(
    interleaving_id: Id, take_id: Id, parts: Sequence[Part], *, words: Sequence[Word], heard_first: bool
) -> list[SequenceUnit]:
    return [
        SequenceUnit(
            interleaving_id=interleaving_id, take_id=take_id, prompt_id=None, heard_first=heard_first, unit_idx=place,
            unit_type=_TYPES[part.of], modality=part.modality, start_s=part.start_s, end_s=part.end_s, text=part.text,
            confidence=min(word.confidence for word in words[part.first : part.last + 1]),
        )
        for place, part in enumerate(parts)
    ]  # fmt: skip


def _text(interleaving_id: Id, prompt: Prompt) -> SequenceUnit:
    return SequenceUnit(
        interleaving_id=interleaving_id, take_id=None, prompt_id=prompt.id, heard_first=False, unit_idx=0,
        unit_type="text", modality="text", start_s=None, end_s=None, text=prompt.text, confidence=None,
    )  # fmt: skip
