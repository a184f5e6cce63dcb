-- When the words of a line are said, by the durations that its voice itself gave its sounds.

-- NULL where the voice does not know, for real takes, and for those that an earlier version recorded.
ALTER TABLE take ADD COLUMN IF NOT EXISTS word_times STRUCT(start_s FLOAT, end_s FLOAT)[];
