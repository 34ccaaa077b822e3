"""`socialcli schema`: the JSON Schema of a file.

May import: schemas.
"""
