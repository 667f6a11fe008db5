"""Pages about points, for those who are not holders.

``courses`` are those of a training provider: its courses, attendance lists, and codes for the end
of a class; ``provider_words`` has what they say. A holder's own pages are in ``web/people``.
"""
