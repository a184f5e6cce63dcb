-- Choosing among takes: candidates of one text, which won over which, and figures of whole sets.

-- The lines that one text was given to choose from, by the job that asked for them and its round.
CREATE TABLE line_group (id UUID, line_id UUID, job_id UUID, iteration INTEGER);

CREATE TABLE preference (
    prompt_id UUID, winner UUID, loser UUID, objective VARCHAR, method VARCHAR, iteration INTEGER
);

-- A figure of a set of takes (a release, a job, a voice in a release), never without its size and interval.
CREATE TABLE set_score (
    set_id UUID, subset VARCHAR, metric VARCHAR, version VARCHAR, value DOUBLE, num_items BIGINT, low DOUBLE, high DOUBLE
);
