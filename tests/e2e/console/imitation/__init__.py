"""The console's API with invented data, for tests of its pages: the real dataclasses, so what they answer has one shape.

portfolio   apps, tables, verdicts, amounts by Date
looks       /health /tables /apps /apps/{id}
numbers     /kpis /kpis/query
runs        /runs /plans
people      /me /users /audit
server      HTTP, login and live socket, and every way in which they can fail
"""
