"""Learners, one each, behind one interface."""
