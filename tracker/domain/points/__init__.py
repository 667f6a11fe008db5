"""Rules of points: claims in, an explained evaluation out, and what would close a gap.

``evaluations.evaluate`` is the entry point; its docstring has the order of computation. In that
order: ``cycle_rules`` (which version and requirement govern the cycle), ``pricing`` (a claim is
admitted and priced), ``employment``, ``duplicates`` and ``joint_events``, ``constraints`` (caps and
minima applied to the claims), ``allocation`` and, if taking claims in order is not best,
``solver``, ``rounding``, ``results``. ``claims`` holds what goes in and comes out (``Claim``,
``Evaluation``). ``gap`` and ``options`` look ahead. ``activities`` says what a claim must state to
be recorded. Nothing here deals with database rows or sentences.
"""
