"""(torch) Questions through a model: a clip once, then each question on it."""
