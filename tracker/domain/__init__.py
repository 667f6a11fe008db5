"""Rules by noun: pure decisions over frozen values and a date.

Standard library only; nothing here reads a clock, a table, a file or a request.
"""
