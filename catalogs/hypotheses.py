"""The data dictionary of the tables about models and what they learn from.

Evaluations, hypotheses, understandings, task vectors, reports on latents, and sequences of heard and read units.
"""

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
    "understanding": {
        "evaluation_id": ("", "neither", "id of the evaluation"),
        "take_id": ("", "neither", "id of the take that was heard"),
        "intent": ("", "neither", "intent, as the recogniser wrote it"),
        "is_intent_right": ("", "higher", "whether that is the prompt's; NULL where the prompt has none"),
        "found": ("", "neither", "slots and entities that the recogniser wrote, names and values"),
        "num_wanted": ("values", "neither", "slots and entities of the prompt"),
        "num_found": ("values", "neither", "slots and entities that the recogniser wrote"),
        "num_right": ("values", "higher", "those in both, name and value normalised"),
    },
    "task_vector": {
        "id": ("", "neither", "id of the vector: a hash of the weights that it is made of"),
        "name": ("", "neither", "its domain, or how it was made of which"),
        "base_id": ("", "neither", "hash of all weights that both of its models began with"),
        "method": ("", "neither", "the method that both were trained by"),
        "operator": ("", "neither", "difference, or how its members became one, as JSON"),
        "members": ("", "neither", "ids of the vectors that it was made of"),
        "real": ("", "neither", "folder of the model of real speech, or of what a kept vector says of it"),
        "real_sha256": ("", "neither", "hash of that model's weights"),
        "real_steps": ("steps", "neither", "how long that model was trained"),
        "real_releases": ("", "neither", "ids of the releases it was trained on"),
        "synthetic": ("", "neither", "folder of the model of synthetic speech, or of what a kept vector says of it"),
        "synthetic_sha256": ("", "neither", "hash of that model's weights"),
        "synthetic_steps": ("steps", "neither", "how long that model was trained"),
        "synthetic_releases": ("", "neither", "ids of the releases it was trained on"),
        "voices": ("", "neither", "voices of the synthetic speech"),
        "num_parameters": ("", "neither", "how many numbers it has"),
        "norm": ("", "neither", "its Euclidean norm"),
        "layers": ("", "neither", "the layers that it has, by name"),
        "layer_norms": ("", "neither", "the norm of each of these layers"),
    },
    "latent_report": {
        "id": ("", "neither", "id of the report: synthesiser, guide, takes, texts and settings"),
        "checkpoint": ("", "neither", "folder of the synthesiser's checkpoint"),
        "step": ("steps", "neither", "how long the synthesiser was trained"),
        "training_id": ("", "neither", "id of the synthesiser's training"),
        "method": ("", "neither", "the method that it was trained by"),
        "guide": ("", "neither", "folder of the guide that heard the latents"),
        "guide_training_id": ("", "neither", "id of the guide's training"),
        "release_id": ("", "neither", "id of the release whose real takes were heard"),
        "split": ("", "neither", "the split of it that was heard; NULL for all"),
        "num_takes": ("takes", "neither", "real takes, each of another text"),
        "num_speakers": ("speakers", "neither", "speakers of these takes"),
        "num_texts": ("texts", "neither", "further texts, which nobody has read"),
        "wer_made": ("ratio", "lower", "word errors of the guide over words, in latents made of the takes' texts"),
        "wer_real": ("ratio", "lower", "the same in real latents"),
        "wer_texts": ("ratio", "lower", "the same in latents made of the further texts; NULL without any"),
        "frechet_made": ("", "lower", "Fréchet distance of made frames to real ones, squared"),
        "frechet_real": ("", "neither", "the same between two halves of the real ones"),
        "mmd_made": ("", "lower", "MMD of made frames to real ones, squared"),
        "mmd_real": ("", "neither", "the same between two halves of the real ones"),
        "auc": ("ratio", "lower", "how well a probe tells mean made latents from real ones; 0.5 is chance"),
        "frames_per_character_made": ("frames", "neither", "made frames over characters of the texts"),
        "frames_per_character_real": ("frames", "neither", "real frames over characters of the texts"),
    },
    "interleaving": {
        "id": ("", "neither", "id of the set: release, split, word times, settings, seed, texts and version"),
        "release_id": ("", "neither", "id of the release whose takes are in it"),
        "split": ("", "neither", "the split of it that was asked for; NULL for all"),
        "choosing": ("", "neither", "how units and modalities were chosen, as JSON"),
        "seed": ("", "neither", "what was drawn is drawn from it"),
        "version": ("", "neither", "version of the code that makes units"),
        "texts": ("", "neither", "file or release of the texts alone; NULL without any"),
        "texts_id": ("", "neither", "hash of these texts"),
        "num_takes": ("takes", "neither", "takes whose word times are known"),
        "num_untimed": ("takes", "lower", "takes that have no word times, and no sequences"),
        "num_texts": ("texts", "neither", "texts alone"),
        "num_held_out": (
            "texts",
            "neither",
            "texts that are left out, since a split or a held-out take holds them out",
        ),
        "num_sequences": ("sequences", "neither", "sequences of takes in which something is heard, and of texts"),
    },
    "unit": {
        "interleaving_id": ("", "neither", "id of the set; one that `interleaving` lacks is not finished"),
        "take_id": ("", "neither", "id of the take; NULL for a text alone"),
        "prompt_id": ("", "neither", "id of the prompt of a text alone; NULL for a take"),
        "heard_first": ("", "neither", "of the two sequences of a take, whether its first unit is heard in its turn"),
        "unit_idx": ("", "neither", "its place in the sequence, from 0"),
        "unit_type": ("", "neither", "word, segment, or text for a text alone"),
        "modality": ("", "neither", "speech if it is heard, text if it is read"),
        "start_s": ("s", "neither", "where it begins in the take; NULL for a text alone"),
        "end_s": ("s", "neither", "where it ends in the take; NULL for a text alone"),
        "text": ("", "neither", "its text, as it is written"),
        "confidence": ("nats", "higher", "how surely its worst word was found; NULL for a text alone"),
    },
}


def hypotheses_dictionary(lake: Lake) -> pa.Table:
    """What the columns of these tables mean, as rows like those of the dictionary of ``takes``."""
    rows = []
    for table, meanings in _MEANINGS.items():
        for column, kind in lake.rows(f"SELECT column_name, column_type FROM (DESCRIBE {table})"):
            unit, better, meaning = meanings[column]
            about = {"column": column, "type": kind, "unit": unit, "better": better, "meaning": meaning}
            rows.append({**about, "family": table, "version": ""})
    return pa.Table.from_pylist(rows)
