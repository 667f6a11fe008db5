"""Pages of training providers: their courses, attendance lists and codes (``courses``)."""
