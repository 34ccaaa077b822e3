"""Where a word begins and ends, in every script: one rule for answers, names, pronouns and file names.

`\\b` and `\\w` of `re` get this wrong. They take text of scripts without blanks for one long word ("答案是B"), cut a
syllable before its vowel sign ("राम" in "रामा"), take the underscore of Markdown for a letter, and end a name at its
hyphen.

- `scripts`: the script and kind of a character.
- `boundaries.joined`: whether a word continues across a place in a text. Everything else builds on it.
- `spelling`: normalised spelling, and finding phrases in a text.

May import: nothing.
"""
