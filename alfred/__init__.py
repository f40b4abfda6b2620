"""Alfred: the CRM backend for people who sell in chats."""
