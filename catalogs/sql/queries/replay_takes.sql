-- One row a take: where it belongs, why each of two policies drops it, and the figures that are compared.
SELECT
    takes.take_id, takes.voice, takes.language, coalesce(takes.domain, 'none') AS domain, takes.audio_s,
    {reasons_a} AS reasons_a,
    {reasons_b} AS reasons_b,
    len(reasons_a) = 0 AS in_a,
    len(reasons_b) = 0 AS in_b,
    {figures}
FROM takes
WHERE {within}
