"""`socialcli convert`: the converters that plug-ins provide.

May import: options, plugins.
"""
