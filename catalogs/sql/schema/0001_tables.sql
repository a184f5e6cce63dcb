-- The tables of a corpus. No keys: ids are content hashes, and whoever adds anti-joins on them.
CREATE TABLE migration (version INTEGER, name VARCHAR, applied TIMESTAMP);

CREATE TABLE prompt (
    id UUID, text VARCHAR, language VARCHAR, domain VARCHAR, split VARCHAR, intent VARCHAR,
    slots MAP(VARCHAR, VARCHAR), entities STRUCT(name VARCHAR, value VARCHAR)[]
);

CREATE TABLE voice (
    id UUID, name VARCHAR, engine VARCHAR, speaker VARCHAR, language VARCHAR, sample_rate_hz INTEGER,
    checkpoint_sha256 VARCHAR, licence VARCHAR, consent VARCHAR, temperature VARCHAR, tokens VARCHAR,
    threads INTEGER, batch_exact BOOLEAN, config VARCHAR
);

CREATE TABLE line (
    id UUID, prompt_id UUID, voice_id UUID, text VARCHAR, normaliser VARCHAR, style VARCHAR, timbre VARCHAR,
    temperature DOUBLE, seed BIGINT, batch_id UUID
);

CREATE TABLE take (
    id UUID, line_id UUID, prompt_id UUID, voice_id UUID, origin VARCHAR, shard VARCHAR, "offset" BIGINT,
    num_bytes BIGINT, pcm_sha256 VARCHAR, sample_rate_hz INTEGER, num_samples BIGINT, tokens INTEGER[]
);

CREATE TABLE shard (name VARCHAR, sha256 VARCHAR, num_bytes BIGINT, num_takes BIGINT);

CREATE TABLE job (id UUID, name VARCHAR, recipe VARCHAR);

CREATE TABLE job_line (job_id UUID, line_id UUID, position BIGINT);

-- One row a finished round of casting: how many prompts and lines the job has had up to its end, and left out.
CREATE TABLE round (
    job_id UUID, number INTEGER, prompts BIGINT, lines BIGINT, left_out BIGINT, is_last BOOLEAN
);

CREATE TABLE run (
    id UUID, job_id UUID, command VARCHAR, host VARCHAR, versions VARCHAR, started TIMESTAMP, ended TIMESTAMP,
    outcome VARCHAR
);

-- One row a column of a metric family: the data dictionary. `takes` shows the version that was declared last.
CREATE TABLE metric (
    declared BIGINT, family VARCHAR, variant VARCHAR, version VARCHAR, position INTEGER, name VARCHAR, type VARCHAR, unit VARCHAR,
    better VARCHAR, meaning VARCHAR
);

-- The mean speaker embedding a voice is held against, made once from its first takes.
CREATE TABLE voice_reference (voice_id UUID, version VARCHAR, embedding FLOAT[], num_takes INTEGER);

CREATE TABLE verdict (take_id UUID, policy UUID, decision VARCHAR, reasons VARCHAR[]);

CREATE TABLE policy (id UUID, definition VARCHAR);

CREATE TABLE release (
    id UUID, name VARCHAR, job_id UUID, made_by VARCHAR, created TIMESTAMP, num_takes BIGINT, audio_s DOUBLE,
    licences VARCHAR[]
);

CREATE TABLE release_item (release_id UUID, take_id UUID, split VARCHAR);

CREATE TABLE failure (stage VARCHAR, subject_id UUID, attempt INTEGER, error VARCHAR, message VARCHAR);
