"""Chapter: does the model that fits behaviour best turn out to be the one that produced it?"""
