-- One row a take that DGSA may compare: how it was read, and the figures that decide. Real takes have no manner.
SELECT
    takes.take_id::VARCHAR AS take_id, takes.prompt_id::VARCHAR AS prompt_id, takes.voice_id::VARCHAR AS voice_id,
    takes.voice, takes.origin, coalesce(takes.style, '') AS style, coalesce(takes.timbre, '') AS timbre,
    takes.temperature, takes.wer::DOUBLE AS wer, takes.f0_sd_st::DOUBLE AS f0_sd_st,
    coalesce(takes.verdict = 'keep', false) AS is_kept
FROM takes
WHERE takes.prompt_id IN (SELECT prompt_id FROM line WHERE voice_id IN (SELECT unnest($voice_ids::VARCHAR[])::UUID))
ORDER BY takes.prompt_id, takes.take_id
