"""Exports: a release written out in the layout that a trainer reads.

FLAC bytes are copied as they lie in the corpus; they are decoded only for another rate, or for a layout that needs
WAV. An export appears under its name when it is whole, and the same release gives the same bytes.
"""

from catalogs.export.exporting import export
from catalogs.export.item import FORMATS, ExportConfig, Format, ReleasedTake, Use
from catalogs.export.report import ExportReport, SplitCount

__all__ = [
    "FORMATS",
    "ExportConfig",
    "ExportReport",
    "Format",
    "ReleasedTake",
    "SplitCount",
    "Use",
    "export",
]
