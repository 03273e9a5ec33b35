"""The amounts: every sum over rows of Apple's reports from which KPIs are computed, by source table.

The values in the conditions come from the glossaries on Apple's pages of the reports (`ReportDefinition.documentation`)
and from real files where they were seen. Only Standard reports: Detailed ones leave out groups below five users and add
noise, so that their sums are shares and never totals.
"""

from appstore_analytics.contract.kpis.definition import Amount, Condition

_PRODUCT_PAGE = Condition("page_type", ("product page",))
_VIEWED = Condition("event", ("page view",))
_FIRST_TIME = Condition("download_type", ("first-time download",))
_DOWNLOADED = Condition("download_type", ("first-time download", "redownload"))

# Amounts for what people see on the App Store.
IMPRESSIONS = Amount("impressions", "engagement", "counts", (Condition("event", ("impression",)),))
PAGE_VIEWS = Amount("page_views", "engagement", "counts", (_VIEWED,))
PRODUCT_PAGE_VIEWS = Amount("product_page_views", "engagement", "counts", (_VIEWED, _PRODUCT_PAGE))
TAPS = Amount("taps", "engagement", "counts", (Condition("event", ("tap",)),))


def _unique(name: str, table: str, event: str) -> Amount:
    return Amount(name, table, "unique_counts", (Condition("event", (event,)),))


UNIQUE_IMPRESSIONS = _unique("unique_impressions", "engagement", "impression")
UNIQUE_IMPRESSIONS_WEEKLY = _unique("unique_impressions_weekly", "engagement_weekly", "impression")
UNIQUE_IMPRESSIONS_MONTHLY = _unique("unique_impressions_monthly", "engagement_monthly", "impression")
UNIQUE_PAGE_VIEWS = _unique("unique_page_views", "engagement", "page view")
UNIQUE_PAGE_VIEWS_WEEKLY = _unique("unique_page_views_weekly", "engagement_weekly", "page view")
UNIQUE_PAGE_VIEWS_MONTHLY = _unique("unique_page_views_monthly", "engagement_monthly", "page view")
WEB_PREVIEW_VIEWS = Amount("web_preview_views", "web_preview", "counts", (_VIEWED,))

# Downloads and pre-orders.
FIRST_TIME_DOWNLOADS = Amount("first_time_downloads", "downloads", "counts", (_FIRST_TIME,))
REDOWNLOADS = Amount("redownloads", "downloads", "counts", (Condition("download_type", ("redownload",)),))
UPDATES = Amount("updates", "downloads", "counts", (Condition("download_type", ("auto-update", "manual update")),))
RESTORES = Amount("restores", "downloads", "counts", (Condition("download_type", ("restore",)),))
PRODUCT_PAGE_DOWNLOADS = Amount("product_page_downloads", "downloads", "counts", (_DOWNLOADED, _PRODUCT_PAGE))
PREORDERS_PLACED = Amount("preorders_placed", "preorders", "pre_orders_placed")
PREORDERS_CANCELED = Amount("preorders_canceled", "preorders", "pre_orders_canceled")

# Amounts for what happens on devices.
INSTALLS = Amount("installs", "installs", "counts", (Condition("event", ("install",)),))
DELETIONS = Amount("deletions", "installs", "counts", (Condition("event", ("delete",)),))
SESSIONS = Amount("sessions", "sessions", "sessions")
SESSION_SECONDS = Amount("session_seconds", "sessions", "total_session_duration")
ACTIVE_DEVICES = Amount("active_devices", "sessions", "unique_devices")
ACTIVE_DEVICES_WEEKLY = Amount("active_devices_weekly", "sessions_weekly", "unique_devices")
ACTIVE_DEVICES_MONTHLY = Amount("active_devices_monthly", "sessions_monthly", "unique_devices")
CRASHES = Amount("crashes", "crashes", "crashes")
CRASHED_DEVICES = Amount("crashed_devices", "crashes", "unique_devices")
DOWNLOADING_USERS = Amount("downloading_users", "opt_in", "downloading_users")
USERS_OPTING_IN = Amount("users_opting_in", "opt_in", "users_opting_in")

_TIMED = Condition("avg_install_duration")
INSTALL_ATTEMPTS = Amount("install_attempts", "performance", "counts")
SUCCESSFUL_INSTALLS = Amount(
    "successful_installs", "performance", "counts", (Condition("install_status", ("success",)),)
)
TIMED_INSTALLS = Amount("timed_installs", "performance", "counts", (_TIMED,))
INSTALL_MILLISECONDS = Amount("install_milliseconds", "performance", "counts", (_TIMED,), times="avg_install_duration")

# Money.
PURCHASES = Amount("purchases", "purchases", "purchases")
SALES = Amount("sales", "purchases", "sales_in_usd")
PROCEEDS = Amount("proceeds", "purchases", "proceeds_in_usd")
PAYING_USERS = Amount("paying_users", "purchases", "paying_users")
PAYING_USERS_WEEKLY = Amount("paying_users_weekly", "purchases_weekly", "paying_users")
PAYING_USERS_MONTHLY = Amount("paying_users_monthly", "purchases_monthly", "paying_users")

# Subscriptions.
_PAID = ("paid offers", "full price", "preserved price", "contingent price")


def _active(name: str, *states: str) -> Amount:
    return Amount(name, "subscription_states_vintages", "counts", (Condition("state_metric", states),), is_stock=True)


ACTIVE_TRIALS = _active("active_trials", "free trials")
ACTIVE_PAID_SUBSCRIPTIONS = _active("active_paid_subscriptions", *_PAID)
SUBSCRIPTIONS_IN_BILLING_ISSUE = _active("subscriptions_in_billing_issue", "grace period", "billing retry")


def _event_group(name: str, *groups: str) -> Amount:
    return Amount(name, "subscription_events_vintages", "counts", (Condition("event_group", groups),))


def _event(name: str, *events: str) -> Amount:
    return Amount(name, "subscription_events_vintages", "counts", (Condition("event_name", events),))


SUBSCRIPTION_STARTS = _event_group("subscription_starts", "paid subscription starts")
SUBSCRIPTION_RENEWALS = _event_group("subscription_renewals", "renewals")
VOLUNTARY_CHURN = _event_group("voluntary_churn", "voluntary churn")
INVOLUNTARY_CHURN = _event_group("involuntary_churn", "involuntary churn")
PAID_CHURN = _event(
    "paid_churn", *(f"{kind} churn from {price}" for kind in ("voluntary", "involuntary") for price in _PAID)
)
TRIAL_STARTS = _event("trial_starts", "free trial starts")
TRIAL_CONVERSIONS = _event("trial_conversions", "full price from free trial", "contingent price from free trial")
TRIAL_CHURN = _event("trial_churn", "voluntary churn from free trials", "involuntary churn from free trials")
