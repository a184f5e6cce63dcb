-- Whose a preference is, and what it weighs: both follow from the rules of a job, and another job may have other ones.

-- NULL for pairs of a whole corpus, and for those that an earlier version noted.
ALTER TABLE preference ADD COLUMN IF NOT EXISTS job_id UUID;

-- What the loss of its objective counts for, where a method says so.
ALTER TABLE preference ADD COLUMN IF NOT EXISTS weight DOUBLE;
