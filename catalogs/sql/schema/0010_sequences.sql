-- Takes as sequences of units that are heard and units that are read, and texts alone: what a model of both learns from.

-- One row a set of sequences, written when all of its units are there; units without it are of a set not yet finished.
CREATE TABLE IF NOT EXISTS interleaving (
    id UUID, release_id UUID, split VARCHAR, choosing VARCHAR, seed BIGINT, version VARCHAR, texts VARCHAR, texts_id UUID,
    num_takes BIGINT, num_untimed BIGINT, num_texts BIGINT, num_held_out BIGINT, num_sequences BIGINT
);

-- One row a unit; times are NULL for a text alone, which has a prompt in the place of a take.
CREATE TABLE IF NOT EXISTS unit (
    interleaving_id UUID, take_id UUID, prompt_id UUID, heard_first BOOLEAN, unit_idx INTEGER, unit_type VARCHAR,
    modality VARCHAR, start_s DOUBLE, end_s DOUBLE, text VARCHAR, confidence DOUBLE
);
