"""The catalog is the contract: records, DuckDB storage, audio shards, releases, exports and models."""
