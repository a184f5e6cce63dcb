"""Write one release in one layout: a stream of takes in, a finished folder out."""

from collections.abc import Callable, Iterable
from pathlib import Path

from catalogs.errors import ReleaseError
from catalogs.export.card import notice, readme
from catalogs.export.folder import Folder, building
from catalogs.export.item import ExportConfig, Format, ReleasedTake
from catalogs.export.jsonl import JsonlWriter
from catalogs.export.kaldi import KaldiWriter
from catalogs.export.licences import permitted
from catalogs.export.nemo import NemoTarredWriter, NemoWriter
from catalogs.export.parquet import ParquetWriter
from catalogs.export.preparing import AudioKind, prepared
from catalogs.export.report import SUMMARY, ExportReport, SplitCount, finished, summary
from catalogs.export.shar import SharWriter
from catalogs.export.tally import Tally
from catalogs.export.webdataset import WebDatasetWriter
from catalogs.export.writer import Writer
from catalogs.records import Release

_WRITERS: dict[Format, Callable[[Folder, ExportConfig], Writer]] = {
    "shar": SharWriter,
    "webdataset": WebDatasetWriter,
    "parquet": ParquetWriter,
    "nemo": NemoWriter,
    "nemo-tarred": NemoTarredWriter,
    "kaldi": KaldiWriter,
    "jsonl": JsonlWriter,
}


def export(items: Iterable[ReleasedTake], release: Release, *, to: Path, config: ExportConfig) -> ExportReport:
    """Write a release's takes into the new folder ``to``, in the order in which they come.

    Memory does not grow with their number. If ``to`` already holds this very export, nothing is read or written. The
    same takes in the same order give the same bytes (Kaldi's ``wav.scp`` also names the folder).

    Raises:
        UsageError: if ``to`` is not empty, or another export is writing it.
        ReleaseError: for takes that may not be used so, or that are not as many as the release has.
        AudioError: for audio that is not the take it should be.
        DiskFull: if there is no room. After any error there is no ``to``.
    """
    to = to.absolute()
    done = finished(to, release, config)
    if done is not None:
        return done
    with building(to) as folder:
        tally = _write(items, release, folder, config=config)
        report = ExportReport(
            to=to,
            format=config.format,
            num_takes=tally.total.takes,
            audio_s=tally.total.audio_s,
            splits=tuple(SplitCount(name, c.takes, c.audio_s) for name, c in sorted(tally.splits.items())),
            num_files=folder.num_files,
            num_bytes=folder.num_bytes,
        )
        folder.put(SUMMARY, summary(report, release, config, sums_sha256=folder.close_sums()))
        folder.publish()
    return report


def _write(items: Iterable[ReleasedTake], release: Release, folder: Folder, *, config: ExportConfig) -> Tally:
    tally = Tally()
    writer = _WRITERS[config.format](folder, config)
    kind = AudioKind(config.rate_hz, is_wav=config.format == "kaldi")
    for entry in prepared(permitted(items, release, config.intended_use), kind):
        writer.add(entry)
        tally.add(entry)
    if tally.total.takes != release.num_takes or not release.num_takes:
        raise ReleaseError(
            f"release {release.name} has {release.num_takes} takes, and {tally.total.takes} came to be exported; "
            "nothing was kept"
        )
    writer.close()
    folder.write("README.md", readme(release, config, tally).encode())
    folder.write("NOTICE", notice(release, tally).encode())
    return tally
