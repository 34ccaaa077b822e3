"""Tasks: from a question to a prompt with lettered candidates, and from generated text to the chosen candidate.

- `base`: the contract of a task, and `ALL_TASKS`; `videoqa`, `target`, `coref`, `mentioned` are the built-in tasks.
- `prompt`: the text of a prompt, and where each utterance is in it.
- `orders`: the orders of a question's candidates under `--permute`.
- `answers` and `negation`: the strict reading of generated text.

May import: episodes, errors, words.
"""
