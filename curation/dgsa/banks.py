"""The styles that are lively, voice by voice: what a table of `python -m benchmarks.styles` led to, and no guess.

A style keeps the voice (similarity to its own takes at least 0.95 of what they have among themselves), keeps the words
(WER at most 5 points above its own), and spreads pitch at least 0.2 semitones more than the stable half does under the
same timbre. "" is the voice's own half. The liveliest stands first.
"""

from collections.abc import Mapping

KOKORO: Mapping[str, tuple[str, ...]] = {
    "jf_alpha": ("",),
    "jm_kumo": ("", "jf_alpha"),
}

OTHER_KOKORO = ("jf_alpha",)
"""For speakers that were not measured, blends among them: under all that were, it is livelier than the stable half."""

KOKORO_STABLE = "jf_nezumi"

PIPER_SPEEDS = ("", "speed:0.87", "speed:1.15")
"""Piper has no latent of prosody: readings with the published noise differ most if their speed does."""
