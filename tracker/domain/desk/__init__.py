"""Rules of the certification body's work on what holders ask for.

``requests`` says in which state a request may be withdrawn, granted or refused. What a granted
request changes is in ``services/desk``. ``merges`` says which award leads when two records of one
person become one.
"""
