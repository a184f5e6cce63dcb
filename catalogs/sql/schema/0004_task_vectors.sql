-- What sets models of real speech apart from their likes of synthetic speech.

-- The difference of two models of one base, or several differences made one by an operator (JSON) of these `members`.
CREATE TABLE task_vector (
    id UUID, name VARCHAR, base_id UUID, method VARCHAR, operator VARCHAR, members UUID[], real VARCHAR,
    real_sha256 VARCHAR, real_steps INTEGER, real_releases UUID[], synthetic VARCHAR, synthetic_sha256 VARCHAR,
    synthetic_steps INTEGER, synthetic_releases UUID[], voices VARCHAR[], num_parameters BIGINT, norm DOUBLE,
    layers VARCHAR[], layer_norms DOUBLE[]
);
