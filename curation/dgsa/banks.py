"""The styles of Kokoro's prosody half that are lively, voice by voice, and the one that is not; "" is the voice's own.

What is known: under each of the five timbres jf_alpha's half moves the pitch more than jf_nezumi's (3.0 against 2.2
semitones, in 10 of 10 pairs), and under jm_kumo's its own moves it most (2.9 to 3.2 semitones, jf_alpha's 2.5 to 2.7).
TODO(#3): `python -m benchmarks.styles` also asks whether a style keeps timbre and words, and tries mixtures; these
tables do not follow from it yet. The liveliest stands first.
"""

from collections.abc import Mapping

KOKORO: Mapping[str, tuple[str, ...]] = {
    "jf_alpha": ("",),
    "jm_kumo": ("", "jf_alpha"),
}

OTHER_KOKORO = ("jf_alpha",)
"""For the other speakers, and blends: lively, but not known to be livelier than their own."""

KOKORO_STABLE = "jf_nezumi"

PIPER_SPEEDS = ("", "speed:0.87", "speed:1.15")
"""Piper has no latent of prosody, and more noise does not make its readings differ more: what is left is speed."""
