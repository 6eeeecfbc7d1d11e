"""Small complete examples that core ships: a model, the data it learns, and the demo that joins them."""
