"""Files of messages: expected, fetched in the background, kept, served and forgotten."""
