"""Texts that are read and not heard, beside the sequences of takes: those of a file, or those that a release says."""

from collections.abc import Iterator
from pathlib import Path

from catalogs.catalog import Catalog
from catalogs.errors import ReleaseError, UsageError
from catalogs.held_out import HeldOutTexts
from catalogs.ids import Id, content_id
from catalogs.ingest.rows import format_of
from catalogs.ingest.text import PromptSource, fingerprint
from catalogs.labels import is_held_out
from catalogs.lake import query
from catalogs.records import Prompt, Release
from catalogs.release import release_named, releases
from training.data import prompts_in

_ASKED_BY = "--texts"


def id_of_texts(catalog: Catalog, texts: str, *, language: str) -> Id:
    """A hash of all texts of a file, or of a release of the corpus.

    Raises:
        InputError: if the file cannot be read.
        ReleaseError: if there is neither a file nor a release of this name.
        UsageError: if there are both.
    """
    file = _file(catalog, texts, language)
    return content_id("texts", release_named(catalog, texts).id) if file is None else fingerprint(file)


def texts_alone(catalog: Catalog, texts: str, *, language: str) -> Iterator[Prompt]:
    """The texts of a file or of a release, each once and in flat memory, as they are written.

    A text that a held-out take of the release says has the split that holds it out. Raises as `id_of_texts` does, and
    TrainingError for a row of the file that is no prompt.
    """
    file = _file(catalog, texts, language)
    if file is not None:
        yield from prompts_in(file, source=_ASKED_BY)
        return
    for row in catalog.stream(query("texts_of_release"), release_id=release_named(catalog, texts).id):
        splits = row.pop("splits")
        yield Prompt(**row, split=next(filter(is_held_out, splits), splits[0]))


def held_out_beside(catalog: Catalog, release: Release, texts: str, *, language: str) -> HeldOutTexts:
    """What may be in no text alone: what held-out takes say, of a release and of the one that the texts come from."""
    of_texts = [] if _file(catalog, texts, language) is not None else [release_named(catalog, texts).id]
    return HeldOutTexts(catalog, [release.id, *of_texts])


def _file(catalog: Catalog, texts: str, language: str) -> PromptSource | None:
    """Where the texts are read from, if a file is named, by a known ending or with its folder; else it is a release.

    Raises:
        ReleaseError: if there is neither a file nor a release of this name.
        UsageError: if there are both.
    """
    path = Path(texts).expanduser()
    file = PromptSource(str(path), language=language)
    if "/" in texts:
        return file
    is_release = any(release.name == texts for release in releases(catalog))
    is_file = format_of(path) is not None and (path.exists() or not is_release)
    if is_file and is_release:
        raise UsageError(
            f"{_ASKED_BY} {texts} is the file {path.absolute()} and a release of {catalog.folder}; give ./{texts} for "
            "the file, or run this in another folder for the release"
        )
    if not is_file and not is_release and path.exists():
        raise ReleaseError(f"no release {texts!r} in {catalog.folder}; for the file or folder give ./{texts}")
    return file if is_file else None
