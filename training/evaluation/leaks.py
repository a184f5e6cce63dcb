"""The leak guard: nothing that training has had, by itself or in what went into it before, is evidence afterwards.

What a training went on from went into it, and so did every model that a merge was made of; and what its best
checkpoint, or the lambda of a merge, was chosen by is no evidence either.

A take has been had if its id or its samples have, a speaker by the name of the voice, a text if it is the same when
both are normalised, written or spoken, in their languages or without regard to these: a file of texts may name none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from catalogs.config import parse
from catalogs.errors import DataLeak, SynthgenError
from catalogs.ids import Id
from catalogs.text import counted_words, normalise
from training import checkpoint
from training.checkpoint import Checkpoint
from training.data import Data, parse_data, read_data
from training.members import DataConfig, Member
from training.starting import goes_on_from

KINDS = ("takes", "speakers", "texts")

_ANY = "und"
"""A language of which nothing is known; see `catalogs.text.normalise`."""

Marks = dict[str, dict[str, str]]
"""Kind of mark, mark, and where training has had it."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Takes that share a kind of mark with training, and one example: the take, or the mark, and where it was had."""

    kind: str
    take_ids: frozenset[Id]
    example: str
    had_in: str


def had_by(folder: Path) -> Marks:
    """All that a checkpoint, and every one that it went on from, was trained on or chosen by.

    Raises:
        DataLeak: if that cannot be told, because a corpus, a release or a checkpoint is not there any more.
        TrainingError: if there is no checkpoint.
    """
    had: Marks = {kind: {} for kind in KINDS}
    for config, members in sets_had(folder):
        for kind, mark in (each for member in members for each in marks_of(member)):
            had[kind].setdefault(mark, str(config))
    return had


def sets_had(folder: Path) -> Iterator[tuple[Data, list[Member]]]:
    """All that `had_by` looks at, every set once; raises as that does."""
    read: set[tuple[Data, Id]] = set()
    for found in lineage(checkpoint.load(folder)):
        for config, release_id in (*data_of(found), *chosen_by(found)):
            if (config, release_id) not in read:
                read.add((config, release_id))
                yield config, members_had(found, config, release_id)


def lineage(found: Checkpoint) -> list[Checkpoint]:
    """A checkpoint, those that it went on from or was merged of, and so on.

    Raises:
        DataLeak: if one of them is gone, or is of another training now.
    """
    chain, waiting = {found.folder.resolve(): found}, [found]
    while waiting:
        one = waiting.pop()
        for named, training in _made_of(one):
            before = _before(one, named, training)
            if before.folder.resolve() not in chain:
                chain[before.folder.resolve()] = before
                waiting.append(before)
    return list(chain.values())


def overlaps(members: Sequence[Member], had: Marks) -> list[Overlap]:
    """What the members share with training, kind by kind; the kinds that they do not share are left out."""
    shared: dict[str, dict[Id, str]] = {kind: {} for kind in KINDS}
    for member in members:
        for kind, mark in marks_of(member):
            if mark in had[kind]:
                shared[kind].setdefault(member.take_id, mark)
    found = []
    for kind, mark_of in shared.items():
        if mark_of:
            take_id, mark = min(mark_of.items())
            example = take_id if kind == "takes" else mark  # not its samples
            found.append(Overlap(kind, frozenset(mark_of), example, had[kind][mark]))
    return found


def refuse(found: Sequence[Overlap], *, release: str, num_takes: int, with_options: bool = True) -> None:
    """Refuse members that training has had. ``with_options``: the command has --split and --only-unseen.

    Raises:
        DataLeak: if there are any, with what overlaps, an example, and how to make a clean set.
    """
    if not found:
        return
    counts = ", ".join(f"{len(overlap.take_ids):,} by their {overlap.kind}" for overlap in found)
    leaked = len(frozenset().union(*(overlap.take_ids for overlap in found)))
    first = found[0]
    way_out = _way_out(num_takes - leaked) if with_options else "Freeze a release with --where that leaves these out"
    raise DataLeak(
        f"{leaked:,} of the {num_takes:,} takes of release {release!r} are known from training: {counts}; "
        f"for example {first.kind.removesuffix('s')} {first.example!r}, in {first.had_in}. {way_out}"
    )


def _way_out(left: int) -> str:
    advice = f"; --only-unseen evaluates on the other {left:,}" if left else ""
    return (
        "Train on split train of a release and name --split test, whose texts and speakers are others, or freeze one "
        f"with --where that leaves these out{advice}"
    )


def marks_of(member: Member) -> Iterator[tuple[str, str]]:
    """What a member is known by: kind and mark."""
    yield "takes", member.take_id
    if member.place is not None:
        yield "takes", f"samples {member.pcm_sha256}"
        yield "speakers", member.speaker
    for text in dict.fromkeys((member.text, member.spoken)):
        for mark in text_marks(text, member.language):
            yield "texts", mark


def text_marks(text: str, language: str) -> list[str]:
    """What a text is known by: the words that errors are counted over, and what any language makes of it."""
    forms = (" ".join(counted_words(text, language)), normalise(text, _ANY))
    return [form for form in dict.fromkeys(forms) if form]


def _made_of(found: Checkpoint) -> Iterator[tuple[str, Id | None]]:
    """The folders of all that went into a checkpoint before, and which training each was of, where that is known."""
    provenance = found.provenance
    started = provenance.get("base", {}).get("started_from", {})
    for key, folder in goes_on_from(provenance.get("recipe", {})):
        yield folder, started.get(key, {}).get("training")
    for part in provenance.get("merge", {}).get("parts", ()):
        yield part["folder"], part["training"]


def _before(found: Checkpoint, named: str, training: Id | None) -> Checkpoint:
    try:
        before = checkpoint.load(Path(named))
    except SynthgenError as error:
        raise DataLeak(f"{found.folder} was made from {named}, whose training data nobody can tell: {error}") from error
    if training is not None and before.provenance.get("training") != training:
        raise DataLeak(
            f"{found.folder} was made from {named}, which holds another training now: what that one was trained on "
            "nobody can tell; put it back"
        )
    return before


def data_of(found: Checkpoint) -> list[tuple[Data, Id]]:
    """What a checkpoint itself was trained on, and the id that each release had then.

    Raises:
        DataLeak: if it does not say.
    """
    data, releases = found.provenance.get("recipe", {}).get("data"), found.provenance.get("releases")
    if not data or not releases or len(data) != len(releases):
        raise DataLeak(
            f"{found.folder} does not say what it was trained on, so that nothing is known to be unseen by it"
        )
    configs = [parse_data(table, source=str(found.folder)) for table in data]
    return [(config, release["id"]) for config, release in zip(configs, releases, strict=True)]


def chosen_by(found: Checkpoint) -> list[tuple[Data, Id]]:
    """What a checkpoint was chosen by among others, however long, and the id that each release had then."""
    chosen: list[tuple[Data, Id]] = []
    for entry in found.provenance.get("chosen_by") or ():
        table = {key: value for key, value in entry["data"].items() if key != "max_s"}
        config = parse(DataConfig, table, source=str(found.folder))
        chosen.append((replace(config, max_s=entry["data"].get("max_s", config.max_s)), entry["release"]))
    return chosen


def members_had(found: Checkpoint, config: Data, release_id: Id) -> list[Member]:
    """The takes that a checkpoint was trained on, or chosen by.

    Raises:
        DataLeak: if they are not there any more, or the release is another now.
    """
    try:
        origin, members = read_data(config)
    except SynthgenError as error:
        raise DataLeak(
            f"{found.folder} has had the {config}, which cannot be read: nothing is known to be unseen by it; {error}"
        ) from error
    if origin.id != release_id:
        raise DataLeak(
            f"{found.folder} has had another {config} ({release_id}) than is there now ({origin.id}); put the one of "
            "that time back"
        )
    return members
