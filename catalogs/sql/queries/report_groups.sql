-- One row a group of the pool, the largest first: its takes, and its figures with half the width of their 95 % interval.
-- The error rate is that of all its words together; its interval takes takes, not words, to be independent.
WITH counted AS (
    SELECT
        {by} AS name, audio_s, state, is_released, f0_sd_st, dnsmos_ovrl, speaker_similarity, ref_words AS words,
        if(ref_words IS NULL, NULL, substitutions + insertions + deletions) AS errors
    FROM temp.pool
    WHERE {where}
)
SELECT
    name::VARCHAR AS name,
    count(*) AS takes,
    sum(audio_s) AS audio_s,
    count(*) FILTER (state <> 'unjudged') AS judged,
    count(*) FILTER (state = 'kept') AS kept,
    coalesce(sum(audio_s) FILTER (state = 'kept'), 0) AS kept_s,
    coalesce(sum(audio_s) FILTER (is_released), 0) AS released_s,
    sum(errors) / nullif(sum(words), 0) AS wer,
    1.96 * sqrt(greatest(
        sum(errors * errors) - 2 * sum(errors) / sum(words) * sum(errors * words)
            + pow(sum(errors) / sum(words), 2) * sum(words * words),
        0
    )) / nullif(sum(words), 0) AS wer_half,
    avg(dnsmos_ovrl) AS dnsmos_ovrl,
    1.96 * stddev_samp(dnsmos_ovrl) / sqrt(count(dnsmos_ovrl)) AS dnsmos_half,
    avg(f0_sd_st) AS f0_sd_st,
    1.96 * stddev_samp(f0_sd_st) / sqrt(count(f0_sd_st)) AS f0_half,
    avg(speaker_similarity) AS speaker_similarity,
    1.96 * stddev_samp(speaker_similarity) / sqrt(count(speaker_similarity)) AS similarity_half
FROM counted
GROUP BY name
ORDER BY takes DESC, name
