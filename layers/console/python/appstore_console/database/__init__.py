"""PostgreSQL, for application data only: grants, views, annotations, the audit log and subscriptions."""
