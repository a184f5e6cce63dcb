-- One row: of each figure and policy, the median of the takes it keeps and the ends of the median's interval.
SELECT {medians}
FROM temp.replay
WHERE in_a OR in_b
