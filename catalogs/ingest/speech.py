"""Real speech, from the layouts that corpora come in, as a stream of recordings ready to be stored."""

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from catalogs.errors import InputError
from catalogs.ids import content_id
from catalogs.ingest.cells import word_of
from catalogs.ingest.clips import Clip, load
from catalogs.ingest.kaldi import read_kaldi
from catalogs.ingest.layouts import Layout, Reader, detect, read_jsonl, read_ljspeech, read_nemo
from catalogs.ingest.lhotse import read_lhotse
from catalogs.ingest.rows import Row, RowError, check_column
from catalogs.ingest.text import PromptSource, named_columns, prompt_of
from catalogs.records import Failure, Prompt, VoiceCard

READERS: dict[Layout, Reader] = {
    "ljspeech": read_ljspeech,
    "kaldi": read_kaldi,
    "nemo": read_nemo,
    "lhotse": read_lhotse,
    "jsonl": read_jsonl,
}


@dataclass(frozen=True, slots=True)
class SpeechSource:
    """A corpus of real speech: one table of a recipe.

    ``path`` is its folder or manifest. ``language``, ``speaker``, ``licence``, ``domain`` and ``split``
    hold where the corpus does not say. ``text`` and ``audio`` are columns of a manifest of JSON lines, or of a
    table with a header. The usual names of columns stand for ``lang``, ``licence`` and ``file_name`` as well.
    A relative audio path is looked up from the manifest's folder.
    """

    path: str
    layout: Literal["auto", "ljspeech", "kaldi", "nemo", "lhotse", "jsonl"] = "auto"
    text: str = "text"
    audio: str = "audio"
    language: str = "en"
    language_column: str | None = "language"
    speaker: str = "unknown"
    speaker_column: str | None = "speaker"
    licence: str = "unknown"
    licence_column: str | None = "license"
    consent: str = "unknown"
    domain: str | None = None
    domain_column: str | None = "domain"
    split: str | None = None
    split_column: str | None = "split"
    max_chars: int = 2_000
    max_s: float = 600.0
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """What somebody said: the text, the speaker, and mono 16-bit FLAC at the rate it was recorded at.

    ``row`` is where it is listed, without its cells. ``pcm_sha256`` is over the little-endian int16 samples.
    ``changes`` says in words what was done to the audio; nothing was if the file already was such FLAC.
    """

    row: Row
    prompt: Prompt
    speaker: str
    language: str
    licence: str
    consent: str
    flac: bytes
    pcm_sha256: str
    sample_rate_hz: int
    num_samples: int
    changes: tuple[str, ...] = ()


def human_voice(speaker: str, language: str, *, sample_rate_hz: int, licence: str, consent: str) -> VoiceCard:
    """The card of a human speaker: an engine without a checkpoint.

    Its id covers licence and consent: a speaker may have been recorded on several terms, and each take keeps its own.
    """
    card = VoiceCard.new(
        engine="human",
        speaker=speaker,
        language=language,
        sample_rate_hz=sample_rate_hz,
        checkpoint_sha256="",
        licence=licence,
        consent=consent,
    )
    return replace(card, id=content_id("voice", card.base_id, licence, consent))


def read_recordings(source: SpeechSource) -> Iterator[Recording | Failure]:
    """Read a corpus in its own order; a few threads decode ahead, so memory stays flat.

    A row that cannot be used, or repeats a recording, is a failure.

    Raises:
        InputError: at once if there is no corpus; while reading, if a manifest is broken as a whole or a
            named column is nowhere.
    """
    path = Path(source.path).expanduser()
    if not path.exists():
        raise InputError(f"there is no corpus at {source.path}")
    layout = detect(path) if source.layout == "auto" else source.layout
    reader = partial(read_jsonl, audio=source.audio) if layout == "jsonl" else READERS[layout]
    return _read(reader(path), replace(source, text=source.text if layout in ("jsonl", "nemo") else "text"))


def _read(clips: Iterator[Clip | Row], source: SpeechSource) -> Iterator[Recording | Failure]:
    seen: dict[bytes, Row] = {}
    columns: set[str] = set()
    num_rows = 0
    for row, recording in _loaded(clips, source):
        num_rows += 1
        columns.update(() if isinstance(row.cells, RowError) else row.cells)
        if isinstance(recording, RowError):
            yield row.failure(recording)
            continue
        made_of = f"{recording.prompt.id} {recording.pcm_sha256} {recording.speaker}"
        digest = hashlib.blake2b(made_of.encode(), digest_size=16).digest()
        if digest in seen:
            yield row.failure(RowError("duplicate", f"the same recording as {seen[digest].place}"))
            continue
        seen[digest] = recording.row
        yield recording
        if source.limit is not None and len(seen) >= source.limit:
            return
    if not num_rows:
        raise InputError(f"{source.path} has no rows")
    for column in named_columns(source) if columns else ():
        check_column(column, columns, where=source.path)


def _loaded(clips: Iterator[Clip | Row], source: SpeechSource) -> Iterator[tuple[Row, Recording | RowError]]:
    """Decode in parallel, a bounded number of clips ahead, and hand on in order."""
    workers = min(8, os.cpu_count() or 1)
    waiting: deque[tuple[Row, Future[Recording | RowError]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="ingest") as pool:
        for clip in clips:
            row = clip.row if isinstance(clip, Clip) else clip
            waiting.append((row, pool.submit(_record, clip, source)))
            if len(waiting) > 4 * workers:
                row, ready = waiting.popleft()
                yield row, ready.result()
        for row, ready in waiting:
            yield row, ready.result()


def _record(clip: Clip | Row, source: SpeechSource) -> Recording | RowError:
    row = clip.row if isinstance(clip, Clip) else clip
    if isinstance(row.cells, RowError) or not isinstance(clip, Clip):
        return row.cells if isinstance(row.cells, RowError) else RowError("audio-missing", "no audio is named")
    try:
        _check_person(row)
        prompt = prompt_of(row.cells, _prompt_source(source))
        speaker = word_of(row.cells, source.speaker_column, default=source.speaker) or source.speaker
        licence = word_of(row.cells, source.licence_column, default=source.licence) or source.licence
        sound = load(clip, max_s=source.max_s)
    except RowError as error:
        return error
    return Recording(
        row=Row(row.path, row.line, {}),
        prompt=prompt,
        speaker=speaker,
        language=prompt.language,
        licence=licence,
        consent=source.consent,
        flac=sound.flac,
        pcm_sha256=sound.pcm_sha256,
        sample_rate_hz=sound.sample_rate_hz,
        num_samples=sound.num_samples,
        changes=sound.changes,
    )


def _check_person(row: Row) -> None:
    """Refuse what an export says a machine has read: it would count as real speech ever after."""
    if not isinstance(row.cells, RowError) and row.cells.get("origin") == "synthetic":
        raise RowError(
            "synthetic",
            "its origin is 'synthetic', and recordings of people are expected; leave it out, or have its text read "
            "again by `synthgen run`",
        )


def _prompt_source(source: SpeechSource) -> PromptSource:
    """The columns of the texts are read as those of prompts are."""
    return PromptSource(
        path=source.path,
        text=source.text,
        language=source.language,
        language_column=source.language_column,
        domain=source.domain,
        domain_column=source.domain_column,
        split=source.split,
        split_column=source.split_column,
        max_chars=source.max_chars,
    )
