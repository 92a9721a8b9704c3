"""Payment providers behind one port: the built-in sandbox (both its sides), and signed webhooks."""
