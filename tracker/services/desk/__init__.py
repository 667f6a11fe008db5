"""The certification body's work: queues, requests, corrections."""
