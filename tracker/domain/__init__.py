"""Rules: pure decisions over frozen values and a date.

What lives here: what is allowed, what follows from the facts, and how many points an activity is
worth. What does not: reading a clock, a table, a file, a setting or a request, and sentences for
people (``tracker.language``). Rules import only the standard library, the solver (highspy), the
text comparison library (rapidfuzz) and the library for domain names (idna).

A function that answers a question returns a value with its reasons; a guard, named check_something,
raises a refusal from ``errors``. The modules at the top are used by every area: ``values`` (an
email address, a line of text, a day, an amount), ``value_classes`` (frozen values that are made by
the million), ``periods``, ``permissions``, ``errors``, ``names``, ``numbers``.
"""
