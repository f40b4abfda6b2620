"""How a request is served: from typed function to handler, from error to answer."""
