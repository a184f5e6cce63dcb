"""What went into an export, counted as it passes."""

from dataclasses import dataclass

from catalogs.export.item import Entry


@dataclass(frozen=True, slots=True, order=True)
class Credit:
    """Whose voice it is, and on what terms; several cards of one voice (say, at two rates) have one credit."""

    licence: str
    name: str
    engine: str
    consent: str
    checkpoint_sha256: str


@dataclass(slots=True)
class Count:
    """Takes, and their length together in seconds."""

    takes: int = 0
    audio_s: float = 0.0

    def add(self, audio_s: float) -> None:
        """Count one take more."""
        self.takes += 1
        self.audio_s += audio_s


class Tally:
    """Counts by split, by language and by voice."""

    def __init__(self) -> None:
        self.total = Count()
        self.splits: dict[str, Count] = {}
        self.languages: dict[str, Count] = {}
        self.voices: dict[Credit, Count] = {}
        self.rates_hz: set[int] = set()

    def add(self, entry: Entry) -> None:
        """Count a take."""
        self.rates_hz.add(entry.sample_rate_hz)
        item, audio_s = entry.item, entry.audio_s
        self.total.add(audio_s)
        self.splits.setdefault(item.split, Count()).add(audio_s)
        self.languages.setdefault(item.prompt.language, Count()).add(audio_s)
        voice = item.voice
        credit = Credit(voice.licence, voice.name, voice.engine, voice.consent, voice.checkpoint_sha256)
        self.voices.setdefault(credit, Count()).add(audio_s)

    def licences(self) -> dict[str, list[Credit]]:
        """The voices under each licence, both sorted."""
        found: dict[str, list[Credit]] = {}
        for voice in sorted(self.voices):
            found.setdefault(voice.licence, []).append(voice)
        return found
