"""What a WSGI server of your own serves: it must buffer requests, as ``tracker serve`` does."""

from tracker.app import create_app

app = create_app()
