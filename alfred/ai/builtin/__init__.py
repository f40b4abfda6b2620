"""Alfred's own assistant: word lists and rules of language, no model; pure."""
