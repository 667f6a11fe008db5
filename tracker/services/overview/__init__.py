"""What one person or operator sees at a glance: whole records, exports, metrics, integrity."""
