"""What draws show: marginal law, law of the variance, structure, layout."""
