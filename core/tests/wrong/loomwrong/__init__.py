"""A plugin of the tests in which everything is wrong, each thing in one way; and a few things that are right."""
