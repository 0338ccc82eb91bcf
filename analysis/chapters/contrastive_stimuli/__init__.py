"""Chapter: do the images on which models disagree tell models apart?"""
