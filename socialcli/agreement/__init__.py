"""Agreement of two annotations of the same recordings: who speaks, who is where, and who is who.

`recordings` pairs the videos of two episodes files; `score` compares the two annotations of one; `measures` names the
figures, and `table` adds them up.

May import: episodes, errors, results, stats.
"""
