"""A judgement as one page: computed contents, figures that draw them, a page to show them."""
