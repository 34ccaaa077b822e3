"""Fine-tuning with the alignment in place: rows of questions, what learns, one step, and the state to go on from."""
