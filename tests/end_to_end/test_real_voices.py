"""The main job on the starter voices, with every metric: six takes, from text to release."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Studio

TEXTS = ["What is my balance?", "Please play some music in the kitchen."]
FIGURES = ("peak_dbfs", "chars_per_s", "f0_median_hz", "speaker_similarity", "dnsmos_ovrl", "wer")


@pytest.mark.slow
def test_starter_voices_make_a_release_with_every_figure(studio: "Studio") -> None:
    recipe = studio.recipe(
        TEXTS,
        voices=[{"engine": "kokoro", "speakers": ["jf_alpha"]}, {"engine": "piper"}, {"engine": "espeak"}],
        metrics=["levels", "pace", "prosody", "speaker", "quality", "words"],
        policy={"thresholds": {"wer": {"max": 0.5}}},
        fleet={"workers": 1},
    )

    first = studio.run("run", recipe, timeout_s=280)
    second = studio.run("run", recipe)

    assert (first.code, second.code) == (0, 0), first.err
    assert second.out == first.out
    assert studio.rows("SELECT engine, count(*) FROM takes GROUP BY engine ORDER BY engine") == [
        ("espeak", 2),
        ("kokoro", 2),
        ("piper", 2),
    ]
    columns = ", ".join(f"count({name})" for name in FIGURES)
    assert studio.rows(f"SELECT {columns} FROM takes") == [(6,) * len(FIGURES)]
    assert studio.rows("SELECT max(wer) FROM takes WHERE engine = 'kokoro'") == [(0.0,)]
    studio.check_whole()
