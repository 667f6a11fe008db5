"""Rules: pure decisions over frozen values and a date.

What lives here: what is lawful, what follows, what it is worth. What does not: reading a clock, a
table, a file, a setting or a request, and sentences for people (``tracker.language``). Only the
standard library is imported, beside the solver (highspy), the likeness of texts (rapidfuzz) and
the standard of domain names (idna).

A question returns a value with its reasons; a guard, named check_something, raises a refusal
of ``errors``. At the top lie the rules that every area uses: ``values`` (an email address, a line
of text, a day, an amount), ``periods``, ``permissions``, ``errors``, ``names``, ``numbers``.
"""
