"""Where every value of a built model comes from: the writes of a build, who asked for them, and the law they give."""
