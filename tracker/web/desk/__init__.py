"""Pages of the certification body's staff, below /desk: what waits, and where it is decided.

``home`` says what waits. ``review_queue`` is the list of activities and the answer to many at once,
``reviews`` one activity, with ``review_forms`` (what an answer says), ``reviews_shown`` (a review
in the words of a page) and ``evidence`` (its files); ``reviews_words`` has what they say.
``renewals`` has the applications to renew, with ``renewals_shown`` and ``renewals_words``,
``standings`` suspends, revokes and reinstates, ``appeals`` decides on appeals;
``queue_figures`` counts what was decided; ``discrepancies`` is an inbox. A page's
queries and forms are loaded by the schemas of ``api/desk``.

Of people and their records: ``people`` finds and shows them, ``person_changes`` corrects names and
addresses. ``modules`` records results, ``attempts`` corrects them, ``module_files`` takes many in a
file. ``decided_activities`` corrects decisions, ``duplicates`` makes two records of one person one,
``requests`` and ``centers`` have what waits for an answer. ``desk_forms`` is what they share, with
``record_words``, ``attempt_forms``, ``module_grids`` and ``history_lines``.
"""
