"""manage.py: asking and starting an installed pipeline from outside, on AWS and on the embedded AWS alike."""
