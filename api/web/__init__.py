"""Pages for people, made on the server, and what is drawn on them."""
