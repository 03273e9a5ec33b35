-- Every statement is a separate transaction, can be repeated, and uses only what Aurora DSQL supports.

CREATE TABLE IF NOT EXISTS console.grants (
    grant_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id text NOT NULL,
    app_id text NOT NULL,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, app_id)
);

CREATE TABLE IF NOT EXISTS console.views (
    view_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id text NOT NULL,
    name text NOT NULL,
    page text NOT NULL,
    state text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, name)
);

-- About all apps if app_id is null.
CREATE TABLE IF NOT EXISTS console.annotations (
    annotation_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    app_id text,
    day date NOT NULL,
    kind text NOT NULL,
    text text NOT NULL,
    written_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);

-- attempt_id: the entry of the attempt whose outcome this entry has.
CREATE TABLE IF NOT EXISTS console.audit (
    entry_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    at timestamptz NOT NULL DEFAULT now(),
    user_id text NOT NULL,
    who text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    outcome text NOT NULL,
    detail text NOT NULL DEFAULT '',
    attempt_id uuid
);

CREATE INDEX ASYNC IF NOT EXISTS audit_by_time ON console.audit (at, entry_id);

CREATE INDEX ASYNC IF NOT EXISTS audit_by_person ON console.audit (user_id, at);

CREATE INDEX ASYNC IF NOT EXISTS audit_by_attempt ON console.audit (attempt_id);

-- app_ids is a JSON list; null means all apps that the person can see.
CREATE TABLE IF NOT EXISTS console.subscriptions (
    subscription_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    channel text NOT NULL,
    user_id text NOT NULL,
    app_ids text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, channel)
);

-- One row per week and subscription, so that a retry sends nothing twice.
CREATE TABLE IF NOT EXISTS console.digests_sent (
    week date NOT NULL,
    subscription_id uuid NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (week, subscription_id)
);
