"""A corpus of many scored takes without audio, made in SQL from hashes: what policies and selections are timed on."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalogs import takes
from catalogs.catalog import Catalog
from catalogs.records import MetricCard, ScoreColumn

TAKES_PER_TEXT = 10
NUM_VOICES = 50
DOMAINS = ("banking", "medical", "navigation", "names", "dialogue", "news")


def _card(family: str, **columns: str) -> MetricCard:
    found = tuple(ScoreColumn(name, "DOUBLE", "", better, name) for name, better in columns.items())
    return MetricCard(family, "1", found)


CARDS = (
    _card("words", wer="lower", cer="lower"),
    _card("prosody", f0_median_hz="neither", f0_sd_st="higher", energy_sd_db="neither"),
    _card("pace", syllables_per_s="neither"),
    _card("quality", dnsmos_ovrl="higher"),
    _card("similarity", speaker_similarity="higher"),
)

# A uniform number in [0, 1) that depends on the row and on what is drawn; then figures of plausible shape.
UNIFORM = "(hash(row, '{name}') % 1000003) / 1000003.0"
FIGURES = {
    "wer": "if({u} < 0.5, 0, ({u} - 0.5) * 1.2)",
    "cer": "if({u} < 0.5, 0, ({u} - 0.5) * 0.6)",
    "f0_median_hz": "100 + 150 * {u}",
    "f0_sd_st": "-2 * ln(1 - 0.95 * {u}) + 1",
    "energy_sd_db": "6 + 8 * {u}",
    "syllables_per_s": "3 + 3 * {u}",
    "dnsmos_ovrl": "1.5 + 2.5 * {u}",
    "speaker_similarity": "0.6 + 0.4 * {u}",
}


@contextmanager
def scored_corpus(number: int) -> Iterator[Catalog]:
    """A corpus of ``number`` takes, flat, for as long as it is needed."""
    with tempfile.TemporaryDirectory() as folder, Catalog.create(Path(folder)) as catalog:
        takes.declare(catalog.lake, CARDS)
        texts = max(1, number // TAKES_PER_TEXT)
        domains = ", ".join(f"'{name}'" for name in DOMAINS)
        with catalog.lake.transaction():
            catalog.lake.run(
                f"INSERT INTO prompt BY NAME SELECT md5('p' || row)::UUID AS id, 'text ' || row AS text, "
                f"'en' AS language, [{domains}][1 + row % {len(DOMAINS)}] AS domain FROM range({texts}) AS t(row)"
            )
            catalog.lake.run(
                "INSERT INTO voice BY NAME SELECT md5('v' || row)::UUID AS id, 'tone/' || row AS name, "
                f"'tone' AS engine, row::VARCHAR AS speaker, 'CC0-1.0' AS licence FROM range({NUM_VOICES}) AS t(row)"
            )
            catalog.lake.run(
                "INSERT INTO take BY NAME SELECT md5('t' || row)::UUID AS id, md5('l' || row)::UUID AS line_id, "
                f"md5('p' || row % {texts})::UUID AS prompt_id, "
                f"md5('v' || hash(row) % {NUM_VOICES})::UUID AS voice_id, "
                "'synthetic' AS origin, md5(row::VARCHAR) AS pcm_sha256, 16000 AS sample_rate_hz, "
                f"(16000 * (1 + 8 * {UNIFORM.format(name='length')}))::BIGINT AS num_samples "
                f"FROM range({number}) AS t(row)"
            )
            for card in CARDS:
                figures = ", ".join(
                    f"{FIGURES[c.name].format(u=UNIFORM.format(name=c.name))} AS {c.name}" for c in card.columns
                )
                catalog.lake.run(
                    f"INSERT INTO {takes.score_table(card)} BY NAME SELECT md5('t' || row)::UUID AS take_id, "
                    f"'1' AS version, {figures} FROM range({number}) AS t(row)"
                )
        takes.flatten(catalog.lake)
        yield catalog
