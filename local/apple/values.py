"""The cells: plausible values of Apple's dimensions. A value that is listed twice is drawn twice as often."""

from datetime import date, timedelta

from appstore_analytics.contract.catalogue.definition import Column
from local.apple import draw
from local.apple.model import App, User, Version

_ADJECTIVES = ("Harbor", "Maple", "Quiet", "Copper", "Northern", "Paper", "Juniper", "Lantern", "Velvet", "Granite")
_NOUNS = ("Notes", "Garden", "Budget", "Trails", "Recipes", "Chess", "Weather", "Journal", "Fit", "Radio")

_DEVICES = ("iPhone", "iPhone", "iPhone", "iPhone", "iPad", "iPad", "Apple TV", "Apple Vision", "Desktop")
_SYSTEMS = ("iOS 26.5", "iOS 26.5", "iOS 26.4.1", "iOS 18.7", "tvOS 26.5", "visionOS 26.5", "macOS 26.5")
_SOURCES = ("App Store search", "App Store search", "App Store browse", "App referrer", "Web referrer", "Unavailable")
_PAGES = (
    "Product page",
    "Product page",
    "Store sheet",
    "No page",
    'Customer review modal open ("more")',
    "In-app event",
)
_VERSIONS = ("4.2.0", "4.2.0", "4.1.3", "4.0", "3.9.12", "")
_NEWEST_VERSION = date(2025, 3, 3)
_PEOPLE = (
    ("Alma", "Sandhill", ("ACCOUNT_HOLDER", "ADMIN")),
    ("Bruno", "Fernbank", ("DEVELOPER",)),
    ("Cleo", "Marshlight", ("SALES", "FINANCE")),
)
_DURATIONS = ("1 Week", "1 Month", "1 Month", "1 Year")
_PLANS = ("Plus Monthly", "Plus Monthly", "Plus Yearly", "Family Yearly")
_SUBSCRIPTION_GROUPS = ("Renewals", "Renewals", "Paid Subscription Starts", "Voluntary Churn", "Involuntary Churn")
_SUBSCRIPTION_EVENTS = (
    "Full Price Renewals",
    "Full Price Renewals",
    "Free Trial Starts",
    "Full Price from Free Trial",
    "Voluntary Churn from Free Trials",
    "Voluntary Churn from Full Price",
    "Involuntary Churn from Full Price",
    "Refunds from Full Price",
)

_POOLS: dict[str, tuple[str, ...]] = {
    "app_clip_event_type": ("App Clip card views", "App Clip opens", "Installations"),
    "app_download_source_info": ("", "com.example.reader", "example.org"),
    "app_download_source_type": _SOURCES,
    "app_version": _VERSIONS,
    "billing_frequency": ("Upfront", "Monthly"),
    "billing_period": ("", "", "1", "2", "12"),
    "browser": ("Safari", "Safari", "Chrome", "Firefox"),
    "browser_version": ("26.5", "26.4", "149.0"),
    "build": ("23F79", "23F79", "23E261", "22H124"),
    "build_type": ("Public Release", "Beta"),
    "campaign": ("", "", "", "spring-letter", "autumn-2026"),
    "cancellation_reason": ("", "", "Canceled by customer", "Billing issue", "Price increase"),
    "channel": ("App Store", "App Store", "Web distribution", "Alternative marketplace"),
    "churn_tenure": ("", "1-3 months", "4-12 months"),
    "current_group_subscription": _PLANS,
    "current_subscription": _PLANS,
    "current_subscription_group_identifier": ("20900001", "20900002"),
    "device": _DEVICES,
    "download_info": ("", "", "", "Offer code", "Pre-order", "TestFlight"),
    "download_type": ("First-time download", "Redownload", "Auto-update", "Auto-update", "Manual update", "Restore"),
    "engagement_type": ("", "", "Tap", "Share", "Open"),
    "event": ("Impression", "Impression", "Page view", "Tap"),
    "event_group": _SUBSCRIPTION_GROUPS,
    "event_grouping": _SUBSCRIPTION_GROUPS,
    "event_name": _SUBSCRIPTION_EVENTS,
    "event_sub_type": _SUBSCRIPTION_EVENTS,
    "family_sharing": ("Individual", "Individual", "Family"),
    "install_package_type": ("Full install", "Full package update", "Diff package update"),
    "install_status": ("Success", "Success", "Success", "Failure"),
    "install_type": ("First-time install", "Reinstall"),
    "message_selection_type": ("Default", "Real-time"),
    "offer_duration": ("", "", "1 Week", "3 Months"),
    "offer_id": ("", "", "winback-1", "intro-7"),
    "offer_name": ("", "", "Welcome back", "First week free"),
    "offer_pricing": ("", "", "Free trial", "Pay up front"),
    "offer_type": ("", "", "Introductory offer", "Win-back offer"),
    "original_purchase_device": _DEVICES,
    "page": ("Cancellation confirmation", "Subscription details"),
    "page_type": _PAGES,
    "paid_service_days_recovered": ("", "", "3", "11"),
    "payment_method": ("Apple Pay", "Credit or debit card", "Carrier billing", ""),
    "plan_change_type": ("", "", "Upgrade", "Crossgrade", "Downgrade"),
    "platform": _SYSTEMS,
    "platform_version": _SYSTEMS,
    "pre_order": ("",),
    "previous_subscription_name": ("", "", "Plus Monthly"),
    "purchase_type": ("In-app purchase", "In-app purchase", "Subscription", "Paid app"),
    "release_type": ("Production", "Production", "Beta"),
    "retention_message_type": ("Text", "Text and image", "Switch plan"),
    "save_type": ("", "Message", "Switch plan"),
    "source_info": ("", "", "com.example.reader", "com.example.mail", "example.org", "search.example.com"),
    "source_type": _SOURCES,
    "state_metric": ("Full price", "Full price", "Free trials", "Paid offers", "Grace period", "Billing retry"),
    "state_metric_grouping": ("Paid plans", "Paid plans", "Subscription offers", "Billing issue"),
    "subscription_duration": _DURATIONS,
    "subscription_group": ("Plus", "Plus", "Family"),
    "subscription_name": _PLANS,
    "territory": ("US", "US", "US", "GB", "DE", "FR", "JP", "BR", "IN", "CA", "AU", "NA", "NO", "CH"),
    "vanity_code": ("", "", "", "SUMMER26"),
}
_POOLS_OF_TABLES: dict[tuple[str, str], tuple[str, ...]] = {
    ("installs", "event"): ("Install", "Install", "Delete"),
}
"""The source of a report's values; a Detailed report has those of its Standard one."""
_ANYTHING = ("Low", "Low", "Medium", "High", "Other")
_DISTRIBUTIONS = ("[12, 7, 3, 1]", "[4, 4, 0, 1]", "[31, 18, 2, 0]")


def invented_app(number: int) -> App:
    """The app with this number, from 0 on."""
    noun = _NOUNS[number // len(_ADJECTIVES) % len(_NOUNS)]
    name = f"{_ADJECTIVES[number % len(_ADJECTIVES)]} {noun}"
    if number >= len(_ADJECTIVES) * len(_NOUNS):
        name += f" {number // 100 + 1}"
    return App(str(1_000_000_001 + number), name, f"com.example.{name.lower().replace(' ', '-')}")


def versions_of(app: App) -> tuple[Version, ...]:
    """The versions of an app, the newest first: one on sale, the others replaced by it."""
    numbers = [number for number in dict.fromkeys(_VERSIONS) if number]
    prepared = {number: _NEWEST_VERSION - timedelta(days=61 * age) for age, number in enumerate(numbers)}
    prepared = {number: day - timedelta(days=9) for number, day in reversed(app.released)} | prepared
    return tuple(
        Version(
            draw.identifier(0, "version", app.id, number),
            number,
            "READY_FOR_DISTRIBUTION" if age == 0 else "REPLACED_WITH_NEW_VERSION",
            "READY_FOR_SALE" if age == 0 else "REPLACED_WITH_NEW_VERSION",
            created_on,
        )
        for age, (number, created_on) in enumerate(prepared.items())
    )


def users() -> list[User]:
    """The people of the account, by username."""
    return [
        User(draw.identifier(0, "user", first, last), f"{first}.{last}@example.com".lower(), first, last, roles)
        for first, last, roles in _PEOPLE
    ]


def strings_of(column: Column, app: App, table: str, day: date) -> tuple[str, ...]:
    """The values that a string column of this app, table and Date can have; the empty string is null."""
    if column.name == "app_version":
        return (*(number for number, since in app.released for _ in range(2) if since <= day), *_VERSIONS)
    if column.name == "app_name":
        return (app.name,)
    if column.name == "page_title":
        return ("", app.name, app.name, f"{app.name}: Summer")
    if column.name == "content_name":
        return (app.name, *_PLANS)
    if column.name.endswith("_distribution"):
        return _DISTRIBUTIONS
    pool = _POOLS_OF_TABLES.get((table.removesuffix("_detailed"), column.name))
    return pool or _POOLS.get(column.name, _ANYTHING)
