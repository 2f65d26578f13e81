"""One factory: the builds that were made of it, once each, and the words for what they show."""
