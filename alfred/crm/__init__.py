"""What the CRM does: verbs only; they never call each other, they record events."""
