-- One row: the synthetic share of a corpus by length; synthetic takes count if a policy kept them, or if none has judged them.
SELECT sum(audio_s) FILTER (origin = 'synthetic') / nullif(sum(audio_s), 0) AS share
FROM takes
WHERE origin = 'real' OR coalesce(verdict, 'keep') = 'keep'
