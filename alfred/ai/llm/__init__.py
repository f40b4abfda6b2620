"""Models from outside: prompts, masks, guards, and one file for each protocol; pure."""
