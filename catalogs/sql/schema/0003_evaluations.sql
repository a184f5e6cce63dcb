-- What recognisers heard in the takes of releases, and how well.

-- A recogniser with one way of decoding, on one release; `decoding` is JSON.
CREATE TABLE evaluation (
    id UUID, recogniser_id UUID, recogniser VARCHAR, release_id UUID, decoding VARCHAR, normaliser VARCHAR
);

CREATE TABLE hypothesis (
    evaluation_id UUID, take_id UUID, text VARCHAR, wer DOUBLE, cer DOUBLE, substitutions INTEGER, insertions INTEGER,
    deletions INTEGER, num_words INTEGER, character_errors INTEGER, num_characters INTEGER, length_ratio DOUBLE,
    repeated INTEGER, loop INTEGER, tail INTEGER, hit_limit BOOLEAN, num_slots INTEGER, missed_slots VARCHAR[],
    num_entities INTEGER, missed_entities VARCHAR[]
);
