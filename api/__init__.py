"""The HTTP API: parse, one use case, a schema. Start it with `api.app.create_app`."""
