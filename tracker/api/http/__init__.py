"""What every route uses: routing, parsing, errors, paging, idempotency, limits."""
