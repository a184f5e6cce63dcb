-- How good the latents are that synthesisers make of texts, beside those of real takes of the same texts.

-- One row for what one guide hears in what one synthesiser makes of some takes of a release; squared distances.
CREATE TABLE IF NOT EXISTS latent_report (
    id UUID, checkpoint VARCHAR, step INTEGER, training_id UUID, method VARCHAR, guide VARCHAR, guide_training_id UUID,
    release_id UUID, split VARCHAR, num_takes INTEGER, num_speakers INTEGER, num_texts INTEGER, wer_made DOUBLE,
    wer_real DOUBLE, wer_texts DOUBLE, frechet_made DOUBLE, frechet_real DOUBLE, mmd_made DOUBLE, mmd_real DOUBLE,
    auc DOUBLE, frames_per_character_made DOUBLE, frames_per_character_real DOUBLE
);
