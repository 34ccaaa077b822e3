"""A synthetic social world drawn as video, with questions whose answers are known by construction.

Everything visible comes from one random stream, speakers' identities and lines from another, so that nothing but the
boxes ties a speaker's label to a person in the picture.

May import: episodes, errors, files, results, tasks.
"""
