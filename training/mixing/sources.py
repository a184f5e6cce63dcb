"""What a mixture draws from: the takes of its releases, those whose word times are known, and texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalogs.catalog import Catalog
from catalogs.config import nearest
from catalogs.errors import RecipeError
from catalogs.ids import Id, content_id
from training.data import Source
from training.interleaving.timings import timings_of, values_of, words_of
from training.interleaving.words import Timings, Word, unheard
from training.members import Member
from training.mixing.mixture import MixtureConfig


@dataclass(frozen=True)
class Sources:
    """Takes by what they are drawn for, the timed words of their texts, and texts as members without audio.

    ``by_release`` are those to be transcribed, where each release has a share of its own.
    Texts that are heard in turn have the words of `unheard`, as they are said. ``untimed`` is how many takes to
    interleave have no word times, since their words were not found in them. ``entities`` are the values of slots and
    entities in what is interleaved, if these decide what is heard.
    """

    config: MixtureConfig
    asr: Sequence[Member]
    interleaved: Sequence[Member]
    text: Sequence[Member]
    words: Mapping[Id, Sequence[Word]]
    untimed: int = 0
    entities: Mapping[Id, Sequence[str]] = field(default_factory=dict)
    by_release: Mapping[str, Sequence[Member]] = field(default_factory=dict)

    def pools(self, kind: str) -> Sequence[tuple[float, Sequence[Member]]]:
        """What a kind is drawn from, and the share of each in its tokens."""
        if kind == "asr" and self.config.asr_shares is not None:
            return [(share, self.by_release[name]) for name, share in self.config.asr_shares.items()]
        return [(1.0, {"asr": self.asr, "interleaved": self.interleaved}.get(kind, self.text))]

    def provenance(self) -> dict[str, Id]:
        """A hash of what the releases do not pin: word times, which may be measured anew."""
        timed = [
            (take_id, [(word.text, word.start_s, word.end_s, word.confidence) for word in words])
            for take_id, words in sorted(self.words.items())
        ]
        return {"timings": content_id("timings", timed)}


def sources_of(config: MixtureConfig, found: Sequence[tuple[Source, Sequence[Member]]]) -> Sources:
    """The sources of a mixture, out of the members of each release of a recipe; of one, others may have had all.

    Raises:
        RecipeError: for a release that the recipe does not have.
        TrainingError: for a release to interleave that has no word times.
    """
    texts = [member for _, members in found for member in members if member.place is None]
    found = [(release, members) for release, members in found if not members or any(m.place for m in members)]
    _check_names(config, [release.name for release, _ in found])
    timed: dict[Id, Timings] = {}
    entities: dict[Id, tuple[str, ...]] = {}
    for release, members in found:
        if config.interleaved and members and _is_in(release, config.interleaved_of):
            with Catalog.open(members[0].corpus) as catalog:
                timed |= timings_of(catalog, release)
                if config.choosing.entity_heard is not None:
                    entities |= values_of(catalog, release)
    if config.made_interleaved and config.choosing.entity_heard is not None:
        entities |= {member.take_id: tuple(slot.value for slot in member.labels.values) for member in texts}
    by_release: dict[str, list[Member]] = {}
    for release, members in found:
        by_release.setdefault(release.name, []).extend(members)
    takes = [member for release, members in found if _is_in(release, config.interleaved_of) for member in members]
    interleaved = [member for member in takes if member.take_id in timed]
    return Sources(
        config,
        asr=[member for release, members in found if _is_in(release, config.asr_of) for member in members],
        interleaved=interleaved,
        text=texts,
        words={member.take_id: words_of(member, timed[member.take_id]) for member in interleaved}
        | {member.take_id: unheard(member.spoken) for member in texts if config.made_interleaved},
        untimed=len(takes) - len(interleaved) if config.interleaved else 0,
        entities=entities,
        by_release=by_release,
    )


def _is_in(release: Source, names: Sequence[str] | None) -> bool:
    return names is None or release.name in names


def _check_names(config: MixtureConfig, known: Sequence[str]) -> None:
    asked = {"asr_of": config.asr_of, "interleaved_of": config.interleaved_of, "asr_shares": config.asr_shares}
    for key, names in asked.items():
        for name in names or ():
            if name not in known:
                raise RecipeError(f"mixture.{key}: data has no release {name!r}{nearest(name, known)}")
