"""Where a word begins and ends, in every script: one rule for answers, names, pronouns and file names.

`\\b` and `\\w` of `re` cannot tell. They hold scripts without blanks for one long word ("答案是B"), cut a syllable off
before its vowel sign ("राम" in "रामा"), take the underscore of Markdown for a letter, and end a name at its hyphen.

- `scripts`: what kind of character something is.
- `boundaries.joined`: whether a word goes on across a place in a text. All the rest is built on it.
- `spelling`: equal words as equal strings, and where phrases stand in a text.

May import: nothing.
"""
