-- The split that a real recording came with: the same sentence may be in training by one speaker and in a test by another.

-- NULL where its corpus did not say, and for synthetic takes: then the split is that of the prompt.
ALTER TABLE take ADD COLUMN split VARCHAR;
