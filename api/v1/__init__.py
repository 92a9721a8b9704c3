"""Version 1 of the API, a module a subject. Endpoints parse, call one use case and answer its view."""
