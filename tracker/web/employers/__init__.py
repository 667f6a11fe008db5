"""Pages of employers: their workers, each of them, the list that is uploaded, and who looked.

``workforce`` is the start page with its files and the report, ``workers`` one worker,
``roster_imports`` uploading the list, ``consent_requests`` asking many, ``nudges`` reminding them,
``looks`` and ``digests``
the rest. ``selections`` reads the filter that the address says and builds such addresses; modules
named after a page and ``_words`` have what they say.
"""
