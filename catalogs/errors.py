"""Every error a user can meet, and the exit code the command line gives it.

    SynthgenError
    ├── UsageError            2   the command or the recipe is wrong
    │   └── RecipeError           every mistake of one recipe, at once
    ├── CatalogError          3   the corpus or its data
    │   ├── CorpusBusy            another job writes this corpus
    │   ├── CorpusMissing         no corpus where one was expected
    │   ├── CorpusTooNew          written by a later version of synthgen
    │   ├── QueryRefused          SQL that would write, or read something else
    │   ├── AudioError            audio that is missing, damaged or not decodable
    │   ├── InputError            a prompt file or a real corpus that cannot be read
    │   ├── DiskFull              no room for the next shard or rows
    │   ├── ReleaseError          a release that is empty, unknown or taken
    │   └── DataLeak              a test set that shares takes, speakers or texts with training
    └── EngineError           4   an engine or a model
        ├── ModelMissing          weights that no source could give
        ├── ModelCorrupt          weights whose hash is not the pinned one
        └── TrainingError         a loss that is no number, nothing to train on, another model's checkpoint
            └── TrainingBusy          another process trains in this folder

One bad *item* is not an error: it becomes a `Failure` row and the job goes on.
"""


class SynthgenError(Exception):
    """Something the user can understand and mend."""

    exit_code = 1


class UsageError(SynthgenError):
    """The command or the recipe is wrong."""

    exit_code = 2


class RecipeError(UsageError):
    """A recipe with mistakes, all of them in the message."""


class CatalogError(SynthgenError):
    """The corpus or its data."""

    exit_code = 3


class CorpusBusy(CatalogError):
    """Another job writes this corpus."""


class CorpusMissing(CatalogError):
    """No corpus where one was expected."""


class CorpusTooNew(CatalogError):
    """The corpus was written by a later version of synthgen."""


class QueryRefused(CatalogError):
    """SQL that would write, or read something that is not this corpus."""


class AudioError(CatalogError):
    """Audio that is missing, damaged or not decodable."""


class InputError(CatalogError):
    """A prompt file or a real corpus that cannot be read."""


class DiskFull(CatalogError):
    """No room for the next shard or rows."""


class ReleaseError(CatalogError):
    """A release that is empty, unknown, or whose name is taken."""


class DataLeak(CatalogError):
    """A test set that shares takes, speakers or texts with what a recogniser was trained on, or may."""


class EngineError(SynthgenError):
    """An engine that is not installed or does not start."""

    exit_code = 4


class ModelMissing(EngineError):
    """Weights that no source could give."""


class ModelCorrupt(EngineError):
    """Weights whose hash is not the pinned one."""


class TrainingError(EngineError):
    """Training that cannot go on: a loss that is no number, nothing to train on, a checkpoint of another model."""


class TrainingBusy(TrainingError):
    """Another process trains in this folder."""
