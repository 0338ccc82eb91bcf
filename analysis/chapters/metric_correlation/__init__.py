"""Chapter: do alignment metrics agree with one another, and who decides an overall score?"""
