"""Everything SQL: tables, the engine for SQLite and PostgreSQL, and the statements of each noun in a module of its
own.
"""
