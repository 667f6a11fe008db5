"""Everything said to people about rules and points, in English and Spanish.

``voice`` writes dates, amounts and lists as people do. ``evaluations`` and ``gaps`` explain an
evaluation and what would close its gap; ``policies`` and its neighbors put a whole policy into
words. The words themselves, those of email messages and pages included, are in
``catalogues``, a folder for each language.

Nothing here decides: a sentence is made from the numbers of a rule's result.
"""
