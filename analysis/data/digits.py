"""What is known of the embedded digits before any of them is loaded, which takes scikit-learn."""

N_DIGITS = 1797
"""Images that scikit-learn ships."""

DIGITS_SIZE = 16
"""Side in pixels to which its 8 × 8 digits are up-sampled."""
