"""The pipeline under load: many apps in one run on the embedded AWS, with every size and every process watched."""
