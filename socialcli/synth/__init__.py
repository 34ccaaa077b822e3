"""A social world drawn as video, with questions whose answers are known by construction.

Everything a viewer sees comes from one random stream, who is who and who says what from another, so that nothing but
the boxes ties a speaker's label to a person in the picture.

May import: episodes, errors, files, results, tasks.
"""
