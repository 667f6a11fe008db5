"""Uploading a file on a page: what it would do, and the same file again to confirm (``uploads``).

``web/employers/roster_imports`` shows a roster in a table of its own.
"""
