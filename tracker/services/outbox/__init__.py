"""Putting messages in, never taking them out; suppressed addresses; reminder cursors."""
