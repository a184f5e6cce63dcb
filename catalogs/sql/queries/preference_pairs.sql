-- One row a preference: who won over whom, with what is needed to hear both; in an order that is always the same. A pair
-- that several jobs have noted is there once.
SELECT
    preference.prompt_id::VARCHAR AS prompt_id, preference.objective, preference.method, preference.iteration, preference.weight,
    chosen.text, chosen.spoken, chosen.language, chosen.domain, coalesce(chosen.split, '') AS split, chosen.voice,
    chosen.licence, chosen_voice.consent, rejected.licence AS rejected_licence, rejected_voice.consent AS rejected_consent,
    {{
        'id': chosen.take_id::VARCHAR, 'shard': chosen.shard, 'offset': chosen."offset",
        'num_bytes': chosen.num_bytes, 'tokens': won.tokens, 'scores': {{ {chosen_scores} }}
    }} AS chosen,
    {{
        'id': rejected.take_id::VARCHAR, 'shard': rejected.shard, 'offset': rejected."offset",
        'num_bytes': rejected.num_bytes, 'tokens': lost.tokens, 'scores': {{ {rejected_scores} }}
    }} AS rejected
FROM (
    SELECT DISTINCT ON (winner, loser, objective, method) *
    FROM preference
    WHERE ($method IS NULL OR method = $method) AND ($objective IS NULL OR objective = $objective)
        AND ($job_id::UUID IS NULL OR job_id = $job_id::UUID)
    ORDER BY winner, loser, objective, method, job_id
) AS preference
JOIN takes AS chosen ON chosen.take_id = preference.winner
JOIN takes AS rejected ON rejected.take_id = preference.loser
JOIN voice AS chosen_voice ON chosen_voice.id = chosen.voice_id
JOIN voice AS rejected_voice ON rejected_voice.id = rejected.voice_id
JOIN take AS won ON won.id = preference.winner
JOIN take AS lost ON lost.id = preference.loser
ORDER BY preference.winner, preference.loser, preference.objective, preference.method
