"""The certification body's work: review and renewal queues, holders' requests, corrections.

``review_queue`` (activities) with ``queue_order``, ``weighing`` and ``reviews``; ``renewal_queue``;
``requests`` and ``corrections`` (what may be changed of a person, and by whom);
``imported_award_acts``; ``merges`` of two records of one person, with ``merge_awards`` and
``merge_images`` (what a merge changed, to undo it). A decision itself is made in the area of the
thing decided.
"""
