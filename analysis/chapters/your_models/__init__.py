"""Page: compare your own models on your own pictures."""
