"""Episodes: the annotated clips that questions are asked about.

`records` holds them in memory, `reading` and `writing` stream them from and to Parquet and JSONL, `checking`
finds what is wrong with one. Importing this package imports none of these.

May import: errors, files, schemas.
"""
