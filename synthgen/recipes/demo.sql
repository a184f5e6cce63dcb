-- One row a voice: how much it recorded, how much was kept, and how it sounds.
SELECT
    voice,
    count(*) AS takes,
    round(sum(audio_s) / 60, 1) AS minutes,
    round(100 * avg((verdict = 'keep')::INTEGER)) AS kept_percent,
    round(100 * sum(substitutions + insertions + deletions) / sum(ref_words), 1) AS wer_percent,
    round(avg(dnsmos_ovrl), 2) AS dnsmos,
    round(avg(f0_sd_st), 1) AS f0_sd_st,
    round(avg(speaker_similarity), 2) AS similarity
FROM takes
GROUP BY voice
ORDER BY voice
