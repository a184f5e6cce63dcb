-- One row a text that several voices have read and none has read well enough to be kept, those of most takes first.
SELECT text, count(*) AS takes, count(DISTINCT voice) AS voices
FROM temp.pool
WHERE state <> 'unjudged'
GROUP BY prompt_id, text
HAVING count(*) FILTER (state = 'kept') = 0 AND count(DISTINCT voice) >= 2
ORDER BY takes DESC, text
