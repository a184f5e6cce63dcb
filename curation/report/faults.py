"""The kinds of fault that scores tell of: what may be wrong with a take, whether or not a policy minds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: its name, what it means, the SQL condition over ``takes``, and the figures the condition needs."""

    name: str
    meaning: str
    condition: str
    needs: tuple[str, ...]


FAULTS = (
    Fault("nothing heard", "not one word of the text was recognised", "deletions >= ref_words", ("deletions",)),
    Fault("start cut off", "the first word was not heard", "first_word_lost::BOOLEAN", ("first_word_lost",)),
    Fault("end cut off", "the last word was not heard", "last_word_lost::BOOLEAN", ("last_word_lost",)),
    Fault("words lost", "at least a tenth of the words were not heard", "deletions >= 0.1 * ref_words", ("deletions",)),
    Fault(
        "words added", "at least a tenth more words than in the text", "insertions >= 0.1 * ref_words", ("insertions",)
    ),
    Fault(
        "words misheard",
        "at least a tenth of the words were heard as others",
        "substitutions >= 0.1 * ref_words",
        ("substitutions",),
    ),
    Fault(
        "repeats itself",
        "the transcript compresses by more than 2.4",
        "compression_ratio > 2.4",
        ("compression_ratio",),
    ),
    Fault(
        "too slow", "over one and a half times the time such a text takes", "duration_ratio > 1.5", ("duration_ratio",)
    ),
    Fault("too fast", "under two thirds of the time such a text takes", "duration_ratio < 0.667", ("duration_ratio",)),
    Fault(
        "long silence", "a silence of over a second within the speech", "longest_silence_s > 1", ("longest_silence_s",)
    ),
    Fault("monotonous", "pitch spreads by less than one semitone", "f0_sd_st < 1", ("f0_sd_st",)),
    Fault("clipped", "a thousandth of the samples or more at full scale", "clipped_ratio >= 0.001", ("clipped_ratio",)),
    Fault("sounds bad", "DNSMOS overall under 2", "dnsmos_ovrl < 2", ("dnsmos_ovrl",)),
    Fault("another voice", "similarity to the voice under 0.6", "speaker_similarity < 0.6", ("speaker_similarity",)),
)
"""In the order in which they are told."""
