"""What a patient's labs mean: units, visits, criteria and landmark features."""
