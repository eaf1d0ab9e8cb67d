"""The page: forms and answers as server-rendered HTML and SVG."""
