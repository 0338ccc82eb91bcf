"""Chapter: do two networks have matching units, and does that predict quality and robustness?"""
