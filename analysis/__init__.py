"""How alike do neural networks see? The measures and experiments behind the book's chapters."""
