"""Similarity to the intended voice: a take's speaker embedding against the reference of the voice that was asked for.

A voice's reference is the mean embedding of its first `REFERENCE_TAKES` takes, in the order of the job that met the
voice first; it is stored once and never changes, so later takes and later jobs are held against the same figure. It is
not made before all of them are there, whoever judges a job that is under way; until then takes have no similarity. A
line that asks for another speaker's timbre is held against that speaker.
"""

from collections import defaultdict

import numpy as np

from catalogs.catalog import Catalog
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import MetricCard, ScoreColumn, VoiceReference
from catalogs.takes import score_table
from curation.measuring import stage_of

REFERENCE_TAKES = 20
REVISION = 1


def similarity_card(speaker: MetricCard) -> MetricCard:
    """The family that follows from a speaker family."""
    column = ScoreColumn(
        "speaker_similarity",
        "DOUBLE",
        "cosine",
        "higher",
        "speaker embedding against the reference of the intended voice",
    )
    return MetricCard("similarity", f"{REVISION}/{REFERENCE_TAKES}/{speaker.version}", (column,))


def compare(catalog: Catalog, job_id: Id, speaker: MetricCard, *, awaits: bool = True) -> None:
    """Make the references that are missing, and score the takes of a job that have an embedding and no similarity.

    With ``awaits`` False references are made of what is there, though more of a voice's first takes are to come.
    """
    card = similarity_card(speaker)
    _make_references(catalog, job_id, speaker, awaits=awaits)
    sql = query("compare_voices").format(scores=score_table(card), embeddings=score_table(speaker))
    catalog.lake.run(sql, job_id=job_id, version=card.version, speaker_version=speaker.version)


def _make_references(catalog: Catalog, job_id: Id, speaker: MetricCard, *, awaits: bool) -> None:
    card = similarity_card(speaker)
    sql = query("first_embeddings").format(embeddings=score_table(speaker))
    versions = {"version": card.version, "speaker_version": speaker.version}
    rows = catalog.lake.rows(
        sql, job_id=job_id, stage=stage_of(speaker), most=REFERENCE_TAKES, awaits=awaits, **versions
    )
    found: dict[Id, list[list[float]]] = defaultdict(list)
    for voice_id, embedding in rows:
        found[voice_id].append(embedding)
    references = []
    for voice_id, embeddings in found.items():
        mean = np.mean(embeddings, axis=0)
        norm = float(np.linalg.norm(mean)) or 1.0
        references.append(VoiceReference(voice_id, card.version, tuple(float(x) for x in mean / norm), len(embeddings)))
    catalog.add(references)
