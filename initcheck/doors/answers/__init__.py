"""Questions that run no claim: which gain, what something starts from, what would mend it, which claims are on it."""
