"""What the figures of sets mean, in a line each, for people who meet them in a report."""

MEANINGS = {
    "token_entropy": "entropy of speech tokens, bits; falls as speech becomes more of the same",
    "token_entropy_given_last": "entropy of a speech token after the one before it, bits",
    "f0_correlation": "pitch of takes with that of real readings of their texts, warped in time; mean correlation",
    "f0_rmse_st": "how far the two are apart, semitones",
    "code_entropy": "entropy of the voices' own speech codes, bits; compare it within one code",
    "code_repetition": "share of the voices' own codes that are equal to the four after them; stuck voices repeat",
    "reading_distance": "edits of speech tokens a second between readings of one text by one voice",
    "coverage": "share of the cells voice × style × rate × pitch with 5 takes or more",
    "evenness": "entropy of the cells of coverage over that of equally full ones; 1 is even",
    "effective_voices": "how many equally frequent voices would be as diverse",
    "diversity": "mean cosine distance of two takes",
    "diversity_in_voice": "mean cosine distance of two takes of one voice",
    "vendi": "how many takes with nothing in common would be as diverse (Vendi score)",
    "calibrated_cer": "character errors of synthetic takes over characters, less those of the corpus's real takes",
    "wasserstein": "distance from the corpus's real takes, in their standard deviations",
    "mmd": "distance from the corpus's real takes (MMD); 0 for two samples of one source",
    "frechet": "distance from the corpus's real takes (Fréchet)",
    "speaker_by_chance": "voices that a guess would find",
    "speaker_from_prosody": "voices found from the prosody vector, about the voice's mean; good: at most twice chance",
    "speaker_from_timbre": "voices found from the timbre vector; good: 0.9 or more",
    "spread_from_prosody": "spread of pitch that the prosody vector explains, R²; good: 0.8 or more",
    "spread_from_timbre": "spread of pitch that the timbre vector explains, R²; good: 0.1 or less",
    "alpha": "share of synthetic takes",
}
"""By the name of a figure, or what stands before its colon; behind that stands the column it is made of."""


def meaning(metric: str) -> str:
    """What a figure means; nothing for one that is not known."""
    return MEANINGS.get(metric.partition(":")[0], "")
