"""Functions that look at everything a run did, with as many apps as one likes."""
