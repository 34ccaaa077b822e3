"""Episodes: annotated clips with their questions.

`records` holds an episode in memory; `reading` and `writing` stream episodes from and to Parquet and JSONL; `checking`
finds problems in one; `coverage` counts the utterances that can be aligned. Importing this package imports none of
these.

May import: errors, files, schemas.
"""
