-- One row a table or view of the corpus.
SELECT table_name
FROM information_schema.tables
WHERE table_catalog = 'corpus' AND table_schema = 'main'
ORDER BY table_name
