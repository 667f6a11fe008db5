"""What an employer may know of its workers."""
