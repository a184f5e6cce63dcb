"""Kaldi data folders, one for each split: ``wav.scp``, ``text``, ``utt2spk``, ``spk2utt``, ``utt2dur``, ``utt2lang``.

``utt2origin`` beside them says which speech is real and which synthetic, and is asked when it is ingested again.

Every table is sorted by its bytes, as Kaldi demands, and utterances begin with their speaker. Names of speakers keep
no character that sorts at or before the dash between the two, so utterances and speakers are in the same order.
Audio is WAV, which Kaldi reads without a program in between. ``wav.scp`` holds absolute paths, since Kaldi resolves
relative ones against wherever it happens to run.
"""

from itertools import groupby

from catalogs.errors import UsageError
from catalogs.export.folder import Folder
from catalogs.export.item import Entry, ExportConfig
from catalogs.export.names import escape
from catalogs.export.sorting import SortedLines
from catalogs.export.writer import LooseAudio

_TABLES = ("wav.scp", "text", "utt2spk", "utt2dur", "utt2lang", "utt2origin")
_FIELD = "\t"


class KaldiWriter:
    """Writes one data folder for each split; the tables are made at the end, when all utterances are known."""

    def __init__(self, folder: Folder, config: ExportConfig) -> None:
        """Write into ``folder``."""
        if len(str(folder.final).split()) != 1:
            raise UsageError(
                f"{folder.final} has a space in it, at which Kaldi's scripts would split it; choose another folder"
            )
        self._folder = folder
        self._audio = LooseAudio(folder, config, suffix=".wav")
        self._rows: dict[str, SortedLines] = {}

    def add(self, entry: Entry) -> None:
        """Write a take's audio and keep its row."""
        split = entry.item.split
        path = self._folder.final / escape(split) / self._audio.add(entry)
        speaker = escape(entry.item.voice.name, keep=".")
        utterance = f"{speaker}-{entry.id}"
        text = " ".join(entry.item.prompt.text.split())
        language = escape(entry.item.prompt.language)
        row = (utterance, str(path), text, speaker, f"{entry.audio_s:.6f}", language, entry.item.take.origin)
        self._rows.setdefault(split, SortedLines()).add((_FIELD.join(row) + "\n").encode())

    def close(self) -> None:
        """Write the tables of every split."""
        for split, rows in self._rows.items():
            self._write_tables(escape(split), rows)

    def _write_tables(self, place: str, rows: SortedLines) -> None:
        tables = [self._folder.create(f"{place}/{name}") for name in _TABLES]
        speakers = self._folder.create(f"{place}/spk2utt")
        fields = (line.decode().removesuffix("\n").split(_FIELD) for line in rows)
        for speaker, utterances in groupby(fields, key=lambda row: row[3]):
            speakers.write(speaker.encode())
            for utterance, *values in utterances:
                speakers.write(f" {utterance}".encode())
                for table, value in zip(tables, values, strict=True):
                    table.write(f"{utterance} {value}\n".encode())
            speakers.write(b"\n")
        for file in (*tables, speakers):
            self._folder.seal(file)
