"""From a sentence in Portuguese, English or Spanish to a compiled rule, and back to words."""
