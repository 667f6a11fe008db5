"""What one person or operator sees at a glance: whole records, exports, history, metrics.

``me`` (what should I do next), ``holder_records``, ``exports`` and ``export_files``,
``history_pages``, ``metrics``, and ``integrity`` (derived rows that disagree with the facts). They
read across all other areas; no other area imports them. ``history_checks`` and
``history_checkpoints`` show whether anybody edited the history, and ``history_erasure`` is the one
thing here that writes.
"""
