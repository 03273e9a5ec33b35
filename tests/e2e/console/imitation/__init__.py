"""The console's API with invented data, for tests of its pages. It answers with the API's own dataclasses.

portfolio   apps, tables, verdicts, amounts by Date
looks       /health /tables /apps /apps/{id}
numbers     /kpis /kpis/query
runs        /runs /plans
people      /me /users /audit
server      HTTP, login and live socket, and every way in which they can fail
"""
