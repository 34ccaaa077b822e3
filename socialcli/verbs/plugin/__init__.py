"""`socialcli plugin`: what an author of a model plug-in needs.

May import: conformance, errors, models, options, plugins, settings.
"""
