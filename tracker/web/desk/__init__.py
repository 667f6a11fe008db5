"""Pages of the certification body's staff about people and their records.

``people`` finds and shows them, ``person_changes`` corrects names and addresses. ``modules``
records results, ``attempts`` corrects them, ``module_files`` takes many in a file.
``decided_activities`` corrects decisions, ``duplicates`` makes two records of one person one,
``requests`` and ``centers`` have what waits for an answer. ``desk_forms`` is what they share, with
``record_words``, ``attempt_forms``, ``module_grids`` and ``history_lines``.
"""
