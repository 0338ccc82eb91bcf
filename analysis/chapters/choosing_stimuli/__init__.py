"""Choosing stimuli: does showing what models disagree about survive the refit? The book's own result."""
