-- Whose a preference is: what wins over what follows from the rules of a job, and another job may have other ones.

-- NULL for pairs of a whole corpus, and for those that an earlier version noted.
ALTER TABLE preference ADD COLUMN IF NOT EXISTS job_id UUID;
