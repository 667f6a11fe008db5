"""Everything said to people about rules and points, in English and Spanish.

``voice`` writes dates, amounts and lists as people do. ``evaluations`` and ``gaps`` explain an
evaluation and what would close its gap; ``policies`` and its neighbors tell a policy whole. The
sentences of email messages are in ``mail/templates``.

Nothing here decides: a sentence is made from the numbers of a rule's result.
"""
