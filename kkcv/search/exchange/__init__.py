"""Galleries as Parquet files, and the shards that many machines embed."""
