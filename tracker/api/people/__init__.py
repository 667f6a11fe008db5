"""Routes on holders: their record, and which messages they want, where and in which language.

A change of name is asked for here and decided at the desk (``tracker.api.desk``).
"""
