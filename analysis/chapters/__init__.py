"""One package a chapter: its parameters, its experiments, its figures and the claims it tests."""
