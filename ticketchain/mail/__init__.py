"""Mail: letters as plain text in the reader's language, and the ways they go out: SMTP, or files while developing."""
