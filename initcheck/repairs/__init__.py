"""The smallest change that makes failing claims hold: applied to a copy and judged before anybody is told of it."""
