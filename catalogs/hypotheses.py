"""The data dictionary of the tables ``evaluation`` and ``hypothesis``: what recognisers heard in releases."""

import pyarrow as pa

from catalogs.lake import Lake

_MEANINGS: dict[str, dict[str, tuple[str, str, str]]] = {
    "evaluation": {
        "id": ("", "neither", "id of the evaluation: recogniser, release, way of decoding, normaliser"),
        "recogniser_id": ("", "neither", "hash of the recogniser's weights and all that it was made of"),
        "recogniser": ("", "neither", "name of the recogniser: that of its training, and its step"),
        "release_id": ("", "neither", "id of the release that it was to hear"),
        "decoding": ("", "neither", "its way of decoding, as JSON"),
        "normaliser": ("", "neither", "package, version and rules of the normaliser that errors are counted with"),
    },
    "hypothesis": {
        "evaluation_id": ("", "neither", "id of the evaluation"),
        "take_id": ("", "neither", "id of the take that was heard"),
        "text": ("", "neither", "what was heard, as the recogniser writes it"),
        "wer": ("ratio", "lower", "word errors over words of the reference, as written or as spoken"),
        "cer": ("ratio", "lower", "character errors over characters of the reference"),
        "substitutions": ("words", "lower", "words heard as others"),
        "insertions": ("words", "lower", "words heard that were not said"),
        "deletions": ("words", "lower", "words that were not heard"),
        "num_words": ("words", "neither", "words of the reference, normalised"),
        "character_errors": ("characters", "lower", "characters heard wrong, too much or not at all"),
        "num_characters": ("characters", "neither", "characters of the reference, normalised"),
        "length_ratio": ("ratio", "neither", "words heard over words of the reference"),
        "repeated": ("words", "lower", "words that say again what is right before them, beyond the reference"),
        "loop": ("times", "lower", "how many times in a row a phrase is said at most"),
        "tail": ("words", "lower", "words inserted behind the last one that was heard right"),
        "hit_limit": ("", "neither", "whether it was cut, as it had not come to an end"),
        "num_slots": ("slots", "neither", "slots of the prompt that have a value to be said"),
        "missed_slots": ("", "neither", "those whose value was not heard, as name=value"),
        "num_entities": ("entities", "neither", "entities of the prompt that have a value to be said"),
        "missed_entities": ("", "neither", "those whose value was not heard, as name=value"),
    },
}


def hypotheses_dictionary(lake: Lake) -> pa.Table:
    """What the columns of both tables mean, as rows like those of the dictionary of ``takes``."""
    rows = []
    for table, meanings in _MEANINGS.items():
        for column, kind in lake.rows(f"SELECT column_name, column_type FROM (DESCRIBE {table})"):
            unit, better, meaning = meanings[column]
            about = {"column": column, "type": kind, "unit": unit, "better": better, "meaning": meaning}
            rows.append({**about, "family": table, "version": ""})
    return pa.Table.from_pylist(rows)
