"""The routes of the API, a module for each group: each asks an answer and says who may."""
