-- One row a take to be played, dropped ones first: of either verdict so many, spread over voices and first reasons, and
-- drawn by id, which is a hash and so as good as a lot.
WITH ranked AS (
    SELECT
        take_id, state,
        row_number() OVER (PARTITION BY state, voice, coalesce(reasons[1], '') ORDER BY take_id) AS place
    FROM temp.pool
),
chosen AS (
    SELECT take_id, row_number() OVER (PARTITION BY state ORDER BY place, take_id) AS place
    FROM ranked
    QUALIFY row_number() OVER (PARTITION BY state ORDER BY place, take_id) <= $most
)
SELECT
    pool.take_id::VARCHAR AS take_id, prompt_id::VARCHAR AS prompt_id, voice, language, domain, text, spoken, style,
    timbre, temperature, audio_s, shard, "offset", num_bytes, state, reasons, is_released, transcript, wer, dnsmos_ovrl,
    f0_sd_st, speaker_similarity
FROM chosen
JOIN temp.pool ON pool.take_id = chosen.take_id
ORDER BY state, chosen.place
