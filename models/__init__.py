"""How features become a risk: published scores and the learned model behind one interface."""
