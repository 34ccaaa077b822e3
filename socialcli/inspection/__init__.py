"""Everything between annotation and attention, for one question: as an object, as text, as JSON, as pictures."""
