"""Routes on holders: their record, and which messages they want, where and in which language.

A change of name is requested here and decided by staff (``tracker.api.desk``).
"""
