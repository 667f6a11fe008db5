"""What every route uses; no resource lives here.

``routing`` (``Resource``, its decorators, parsing and answering), ``schemas`` and ``fields`` (the
forms of values on the wire), ``errors`` (the only module that knows status numbers), ``paging``,
``idempotency``, ``bodies``, ``uploads``, ``attachments``, ``callers`` and ``limits`` (where a call
comes from, and how often a caller may guess), ``openapi`` (the document).

    resource = Resource("centers", __name__, description=__doc__)

    @resource.reads("GET /centers/<uuid:center_id>", public=True, returns=CenterSchema)
    def show_center(reading, *, center_id): ...
"""
