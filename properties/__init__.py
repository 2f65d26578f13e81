"""The claims about weight initialization, one module a family; imported as ``initcheck.properties``."""
