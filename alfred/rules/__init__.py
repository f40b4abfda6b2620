"""Rules: sentences and conditions, compiled, matched and explained; nothing here touches the database."""
