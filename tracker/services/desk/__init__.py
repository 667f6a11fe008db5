"""The certification body's work: the queues of what waits, requests of holders, corrections.

``review_queue`` (activities) with ``queue_order``, ``weighing`` and ``reviews``;
``renewal_queue``; ``requests`` and ``corrections`` (what may be changed of a person, and by whom);
``imported_award_acts``. The decision itself is in the area of what is decided.
"""
