"""Why two starts differ: what the calls of each show, where in a role it is, and the likely cause in words."""
