"""One run: who is judged, in which process, and what is written down on the way."""
