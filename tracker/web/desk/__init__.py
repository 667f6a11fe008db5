"""Pages of the certification body's staff about people and their records.

``people`` finds and shows them, ``person_changes`` corrects names and addresses. ``modules``
records passes, ``attempts`` corrects them, ``module_files`` takes many in a file. ``duplicates``
and ``merges`` make two records of one person one. ``desk_forms`` has what their forms share.
"""
