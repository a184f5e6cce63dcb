-- One row for all takes, and one a voice, language and domain: what each policy keeps, and what is gained and lost.
SELECT
    CASE WHEN grouping(voice) = 0 THEN 'voice' WHEN grouping(language) = 0 THEN 'language'
        WHEN grouping(domain) = 0 THEN 'domain' ELSE 'all' END AS kind,
    coalesce(voice, language, domain, 'all') AS name,
    count(*) AS takes,
    count(*) FILTER (in_a) AS kept_a,
    count(*) FILTER (in_b) AS kept_b,
    count(*) FILTER (in_b AND NOT in_a) AS gained,
    count(*) FILTER (in_a AND NOT in_b) AS lost,
    coalesce(sum(audio_s), 0) AS audio_s,
    coalesce(sum(audio_s) FILTER (in_a), 0) AS kept_a_s,
    coalesce(sum(audio_s) FILTER (in_b), 0) AS kept_b_s,
    coalesce(sum(audio_s) FILTER (in_b AND NOT in_a), 0) AS gained_s,
    coalesce(sum(audio_s) FILTER (in_a AND NOT in_b), 0) AS lost_s
FROM temp.replay
GROUP BY GROUPING SETS ((), (voice), (language), (domain))
ORDER BY kind, abs(kept_b_s - kept_a_s) DESC, name
