"""The KPIs, in the order of a user's path: seen, downloaded, used, paid, subscribed."""

from appstore_analytics.contract.kpis import amounts as a
from appstore_analytics.contract.kpis.definition import Additivity, Amount, Basis, Bound, Kpi, Unit

_SHARING = "Only users who share data with developers, and groups of at least five."
_SLICES = "Apple counts them once per slice (page, source, device, version, territory), so their sum is an upper bound."
_USD = "In USD at Apple's rate: an estimate, not the payout."
_EVENTS = "From 2025-01-01. The names of the events are those of Apple's documentation; files differed from it before."


def _sum(name: str, title: str, trap: str, *plus: Amount, minus: tuple[Amount, ...] = ()) -> Kpi:
    return Kpi(name, title, Unit.USD if plus[0].is_money else Unit.COUNT, Additivity.SUM, trap, plus, minus)


def _ratio(
    name: str, title: str, trap: str, plus: tuple[Amount, ...], over: tuple[Amount, ...], unit: Unit = Unit.SHARE
) -> Kpi:
    return Kpi(name, title, unit, Additivity.RATIO, trap, plus, over=over)


def _uniques(name: str, title: str, day: Amount, week: Amount, month: Amount) -> tuple[Kpi, ...]:
    """For Dates, weeks and months: three tables, because uniques of Dates cannot be added up to those of a week."""
    periods = (("", day, ""), ("weekly_", week, ", per week"), ("monthly_", month, ", per month"))
    return tuple(
        Kpi(
            f"{prefix}{name}",
            f"{title}{per}",
            Unit.COUNT,
            Additivity.BOUND,
            _SLICES,
            (amount,),
            bound=Bound.AT_MOST,
            weekly=f"weekly_{name}",
            monthly=f"monthly_{name}",
        )
        for prefix, amount, per in periods
    )


def _stock(name: str, title: str, trap: str, *plus: Amount) -> Kpi:
    return Kpi(name, title, Unit.COUNT, Additivity.STOCK, trap, plus)


_TOTAL_DOWNLOADS = (a.FIRST_TIME_DOWNLOADS, a.REDOWNLOADS)

STORE = (
    _sum(
        "impressions",
        "Impressions",
        "Without page views, as Apple's documentation of the report says; "
        "App Store Connect's own figure is said to include them.",
        a.IMPRESSIONS,
    ),
    _sum("page_views", "Page views", "Product pages, store sheets and pages of in-app events together.", a.PAGE_VIEWS),
    _sum(
        "product_page_views",
        "Product page views",
        "Store sheets in other apps and pages of in-app events are not product pages.",
        a.PRODUCT_PAGE_VIEWS,
    ),
    _sum("taps", "Taps", "Taps on an impression or on a page; one visitor can tap often.", a.TAPS),
    *_uniques(
        "unique_impressions",
        "Unique impressions",
        a.UNIQUE_IMPRESSIONS,
        a.UNIQUE_IMPRESSIONS_WEEKLY,
        a.UNIQUE_IMPRESSIONS_MONTHLY,
    ),
    *_uniques(
        "unique_page_views",
        "Unique page views",
        a.UNIQUE_PAGE_VIEWS,
        a.UNIQUE_PAGE_VIEWS_WEEKLY,
        a.UNIQUE_PAGE_VIEWS_MONTHLY,
    ),
    _sum(
        "web_preview_views",
        "Web preview views",
        "Pages seen in a web browser, by different people than in the App Store: never add them to page views.",
        a.WEB_PREVIEW_VIEWS,
    ),
)

DOWNLOADS = (
    _sum(
        "first_time_downloads",
        "First-time downloads",
        "By day only: Apple builds no weekly or monthly Standard report.",
        a.FIRST_TIME_DOWNLOADS,
    ),
    _sum("redownloads", "Redownloads", "By people who had the app before, on any device.", a.REDOWNLOADS),
    _sum("updates", "Updates", "Automatic and manual updates, which are not downloads.", a.UPDATES),
    _sum("restores", "Restores", "From a backup or on a new device; these are not downloads.", a.RESTORES),
    _sum(
        "total_downloads",
        "Total downloads",
        "First-time downloads and redownloads; no updates, no restores.",
        *_TOTAL_DOWNLOADS,
    ),
    _sum(
        "preorders_net",
        "Pre-orders, net",
        "Placed minus cancelled, so a day can be negative. A pre-order becomes a download later.",
        a.PREORDERS_PLACED,
        minus=(a.PREORDERS_CANCELED,),
    ),
    _ratio(
        "conversion_per_impression",
        "Conversion per impression",
        "Total downloads per impression, not per person; it can exceed 1 if downloads come without an impression.",
        _TOTAL_DOWNLOADS,
        (a.IMPRESSIONS,),
    ),
    Kpi(
        "conversion_rate",
        "Conversion rate, as Apple states it",
        Unit.SHARE,
        Additivity.BOUND,
        f"At least this much. {_SLICES} App Store Connect divides by people counted once.",
        (*_TOTAL_DOWNLOADS, a.PREORDERS_PLACED),
        over=(a.UNIQUE_IMPRESSIONS,),
        bound=Bound.AT_LEAST,
    ),
    _ratio(
        "page_conversion",
        "Page conversion",
        "Downloads from a product page per product page view; downloads without a page are left out.",
        (a.PRODUCT_PAGE_DOWNLOADS,),
        (a.PRODUCT_PAGE_VIEWS,),
    ),
)

USAGE = (
    _sum("installs", "Installs", f"{_SHARING} Installs are not downloads.", a.INSTALLS),
    _sum("deletions", "Deletions", _SHARING, a.DELETIONS),
    _sum("installs_net", "Installs, net", f"{_SHARING} Installs minus deletions.", a.INSTALLS, minus=(a.DELETIONS,)),
    _ratio(
        "deletion_ratio",
        "Deletions per install",
        f"{_SHARING} The devices that delete the app are not those that installed it on the same Date.",
        (a.DELETIONS,),
        (a.INSTALLS,),
    ),
    _sum("sessions", "Sessions", _SHARING, a.SESSIONS),
    _ratio(
        "average_session",
        "Average session",
        f"{_SHARING} All seconds over all sessions: never a mean of means.",
        (a.SESSION_SECONDS,),
        (a.SESSIONS,),
        Unit.SECONDS,
    ),
    *_uniques("active_devices", "Active devices", a.ACTIVE_DEVICES, a.ACTIVE_DEVICES_WEEKLY, a.ACTIVE_DEVICES_MONTHLY),
    Kpi(
        "sessions_per_active_device",
        "Sessions per active device",
        Unit.QUOTIENT,
        Additivity.ESTIMATE,
        f"{_SHARING} The divisor counts a device once per slice and Date, and small groups are missing on both sides.",
        (a.SESSIONS,),
        over=(a.ACTIVE_DEVICES,),
    ),
    Kpi(
        "retention",
        "Retention, day 1 to 30",
        Unit.SHARE,
        Additivity.ESTIMATE,
        "A quotient of two upper bounds. Small cohorts are withheld, and App Store Connect uses a different divisor.",
        (a.ACTIVE_DEVICES,),
        over=(a.ACTIVE_DEVICES,),
        basis=Basis.COHORT,
    ),
    _sum("crashes", "Crashes", _SHARING, a.CRASHES),
    Kpi(
        "crashed_devices",
        "Devices with a crash",
        Unit.COUNT,
        Additivity.BOUND,
        "Apple counts them once per device, version and system, so their sum is an upper bound.",
        (a.CRASHED_DEVICES,),
        bound=Bound.AT_MOST,
    ),
    Kpi(
        "crashes_per_1000_sessions",
        "Crashes per 1,000 sessions",
        Unit.QUOTIENT,
        Additivity.RATIO,
        f"{_SHARING} By version: over the sessions of that version.",
        (a.CRASHES,),
        over=(a.SESSIONS,),
        factor=1000,
    ),
    Kpi(
        "opt_in_rate",
        "Opt-in rate",
        Unit.SHARE,
        Additivity.ESTIMATE,
        "Correct for one app and Date. Each side counts people once per Date, so over several Dates or apps it is a "
        "weighted mean.",
        (a.USERS_OPTING_IN,),
        over=(a.DOWNLOADING_USERS,),
    ),
    _ratio(
        "install_success",
        "Install success",
        _SHARING,
        (a.SUCCESSFUL_INSTALLS,),
        (a.INSTALL_ATTEMPTS,),
    ),
    _ratio(
        "average_install_time",
        "Average install time",
        f"{_SHARING} Weighted by installs; those without a time are left out of both sides.",
        (a.INSTALL_MILLISECONDS,),
        (a.TIMED_INSTALLS,),
        Unit.MILLISECONDS,
    ),
)

MONEY = (
    _sum("purchases", "Purchases", "Refunds count as negative purchases, partial refunds as none.", a.PURCHASES),
    _sum("sales", "Sales", _USD, a.SALES),
    _sum("proceeds", "Proceeds", _USD, a.PROCEEDS),
    _ratio(
        "proceeds_per_download",
        "Proceeds per download",
        f"{_USD} Not a cohort: people who pay on a Date mostly downloaded earlier.",
        (a.PROCEEDS,),
        (a.FIRST_TIME_DOWNLOADS,),
        Unit.USD,
    ),
    Kpi(
        "cohort_proceeds",
        "Proceeds of a cohort, day 0 to 30",
        Unit.USD,
        Additivity.SUM,
        f"{_USD} By download date, which Apple fills for 30 days only: later proceeds belong to no cohort.",
        (a.PROCEEDS,),
        basis=Basis.COHORT,
    ),
    *_uniques("paying_users", "Paying users", a.PAYING_USERS, a.PAYING_USERS_WEEKLY, a.PAYING_USERS_MONTHLY),
    Kpi(
        "proceeds_per_paying_user",
        "Proceeds per paying user",
        Unit.USD,
        Additivity.ESTIMATE,
        f"{_USD} At least this much if proceeds are positive, because payers are counted once per slice and Date.",
        (a.PROCEEDS,),
        over=(a.PAYING_USERS,),
    ),
)

SUBSCRIPTIONS = (
    _stock(
        "active_subscriptions",
        "Active subscriptions",
        "On one Date: never summed over Dates. Trials and paid subscriptions; billing issues are not included.",
        a.ACTIVE_TRIALS,
        a.ACTIVE_PAID_SUBSCRIPTIONS,
    ),
    _stock("active_trials", "Active trials", "On one Date: never summed over Dates.", a.ACTIVE_TRIALS),
    _stock(
        "active_paid_subscriptions",
        "Active paid subscriptions",
        "On one Date: never summed over Dates. At full, preserved or contingent price, and paid offers.",
        a.ACTIVE_PAID_SUBSCRIPTIONS,
    ),
    _stock(
        "subscriptions_in_billing_issue",
        "Subscriptions with a billing issue",
        "On one Date: never summed over Dates. In a grace period or in billing retry.",
        a.SUBSCRIPTIONS_IN_BILLING_ISSUE,
    ),
    _sum(
        "subscription_starts",
        "Paid subscription starts",
        f"{_EVENTS} Conversions are counted separately.",
        a.SUBSCRIPTION_STARTS,
    ),
    _sum("trial_starts", "Trial starts", _EVENTS, a.TRIAL_STARTS),
    _sum(
        "trial_conversions",
        "Trial conversions",
        f"{_EVENTS} Conversions of trials that began earlier.",
        a.TRIAL_CONVERSIONS,
    ),
    _sum(
        "subscription_renewals",
        "Renewals",
        f"{_EVENTS} Renewals of offers are counted separately.",
        a.SUBSCRIPTION_RENEWALS,
    ),
    _sum(
        "subscription_churn",
        "Churn",
        f"{_EVENTS} Trials that end without paying are included.",
        a.VOLUNTARY_CHURN,
        a.INVOLUNTARY_CHURN,
    ),
    _ratio(
        "trial_to_paid",
        "Trial to paid",
        f"{_EVENTS} Over the trials that ended in the period, by conversion or churn; not a cohort.",
        (a.TRIAL_CONVERSIONS,),
        (a.TRIAL_CONVERSIONS, a.TRIAL_CHURN),
    ),
    Kpi(
        "churn_rate",
        "Churn rate of paid subscriptions",
        Unit.SHARE,
        Additivity.RATIO,
        f"{_EVENTS} Over the paid subscriptions at the start: longer periods have higher rates.",
        (a.PAID_CHURN,),
        over=(a.ACTIVE_PAID_SUBSCRIPTIONS,),
        basis=Basis.OPENING,
    ),
)
