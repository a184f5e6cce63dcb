-- One row a release, oldest first: its takes, the error rate of all their words, and their mean F0 spread.
SELECT
    release.id::VARCHAR AS id, release.name, release.num_takes,
    sum(held.substitutions + held.insertions + held.deletions) / nullif(sum(held.ref_words), 0) AS wer,
    avg(held.f0_sd_st) AS f0_sd_st
FROM release
JOIN release_item ON release_item.release_id = release.id
JOIN (SELECT take_id, {columns} FROM takes) AS held ON held.take_id = release_item.take_id
GROUP BY release.id, release.name, release.num_takes, release.created
ORDER BY release.created, release.name
