"""Readers of what users bring: texts to be read, and real speech. They touch no catalog and keep nothing.

A bad row is a `Failure` with the file and the line; a file that cannot be read at all is an `InputError`.
"""

from catalogs.ingest.speech import Recording, SpeechSource, human_voice, read_recordings
from catalogs.ingest.text import PromptSource, fingerprint, read_prompts

__all__ = [
    "PromptSource",
    "Recording",
    "SpeechSource",
    "fingerprint",
    "human_voice",
    "read_prompts",
    "read_recordings",
]
