"""The certification body's work: review and renewal queues, holders' requests, corrections.

``review_queue`` (activities) with ``queue_order``, ``weighing`` and ``reviews``; ``renewal_queue``;
``requests`` and ``corrections`` (what may be changed of a person, and by whom);
``imported_award_acts``. A decision itself is made in the area of the thing decided.
"""
