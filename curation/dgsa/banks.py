"""The styles of Kokoro's prosody half that are lively, voice by voice, and the one that is not; "" is the voice's own.

jm_kumo's is of `python -m benchmarks.styles`: the halves of others flatten it; mixtures with its own half are livelier
(3.1 to 3.9 semitones against 3.0), but take 11 to 17 % of its similarity, which is more than a style may. For the other
voices jf_alpha's half is known to move the pitch more than jf_nezumi's (3.0 against 2.2 semitones, 10 of 10 pairs).
"""

from collections.abc import Mapping

KOKORO: Mapping[str, tuple[str, ...]] = {
    "jf_alpha": ("",),
    "jm_kumo": ("",),
}

OTHER_KOKORO = ("jf_alpha",)
"""For the other speakers, and blends: lively, but not known to be livelier than their own."""

KOKORO_STABLE = "jf_nezumi"

PIPER_SPEEDS = ("", "speed:0.87", "speed:1.15")
"""Piper has no latent of prosody, and more noise does not make its readings differ more: what is left is speed."""
