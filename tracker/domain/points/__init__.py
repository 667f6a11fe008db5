"""Rules of points: claims in, an explained evaluation out, and what would close a gap.

``evaluation.evaluate`` is the way in; its docstring has the order of computation. In that order:
``cycle_rules`` (which version and requirement govern the cycle), ``pricing`` (a claim admitted and
priced), ``employment``, ``duplicates`` and ``joint_events``, ``constraints`` (caps and minima laid
over the claims), ``allocation`` and, where taking claims in order is not best, ``solver``,
``rounding``, ``results``. ``gap`` and ``options`` look ahead. ``activities`` says what a claim must
say to be recorded. Nothing here knows a row or a sentence.
"""
