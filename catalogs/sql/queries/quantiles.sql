-- One row: a quantile of each figure over the takes it holds for, or null where no take has the figure.
SELECT {quantiles}
FROM (
    SELECT takes.*, {within} AS is_judged
    FROM takes
) AS known
