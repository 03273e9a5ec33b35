"""Columns that several reports share, word for word."""

from appstore_analytics.contract.catalogue.definition import Alias, Column, ColumnType, Role

APP_APPLE_IDENTIFIER = Column(
    "App Apple Identifier",
    type=ColumnType.INT64,
    role=Role.IDENTIFIER,
    required=True,
    meaning="Numeric Apple ID of the app (same number as the apps resource id)",
)
APP_DOWNLOAD_DATE = Column(
    "App Download Date",
    type=ColumnType.DATE,
    meaning="Date the app was downloaded to that device; filled only when within the previous 30 days, otherwise empty",
)
APP_DOWNLOAD_SOURCE_TYPE = Column("App Download Source Type", meaning="Channel that led to the app download")
APP_NAME = Column("App Name", required=True, meaning="App display name as configured in App Store Connect")
APP_VERSION = Column("App Version", meaning="App version string involved in the event")
BILLING_FREQUENCY = Column("Billing Frequency", meaning="How often the user is charged")
BILLING_PERIOD = Column("Billing Period", meaning="Instalment number (1-12) of a 12-month commitment")
BUILD = Column("Build", meaning="OS build of the device")
BUILD_TYPE = Column("Build Type", meaning="Kind of OS build")
CAMPAIGN = Column("Campaign", meaning="Campaign token (Detailed only; column exists since 2024-11-19)")
CANCELLATION_REASON = Column("Cancellation Reason", meaning="Why the subscription ended")
COUNT = Column(
    "Count",
    type=ColumnType.INT64,
    role=Role.ADDITIVE,
    required=True,
    meaning="Number of events (telemetry-style reports)",
)
COUNTS = Column("Counts", type=ColumnType.INT64, role=Role.ADDITIVE, required=True, meaning="Number of events")
DATE = Column(
    "Date",
    type=ColumnType.DATE,
    required=True,
    meaning="Day the events belong to; for WEEKLY/MONTHLY instances the first day (Monday / 1st) of the period",
)
DEVICE = Column("Device", meaning="Device family")
DOWNLOAD_TYPE = Column("Download Type", meaning="Kind of download")
DURATION = Column("Duration", type=ColumnType.FLOAT64, role=Role.UNKNOWN)
_LIVE_SUBSCRIPTION_EVENTS = "live files of Subscription Event Standard"
_DOCUMENTED_SUBSCRIPTION_EVENTS = "Apple's page subscription-event"
EVENT_GROUP = Column(
    "Event Group",
    meaning="Group of the subscription event (docs call it Event Grouping)",
    aliases=(Alias("Event Grouping", _DOCUMENTED_SUBSCRIPTION_EVENTS),),
)
EVENT_GROUPING = Column(
    "Event Grouping",
    meaning="Group of the subscription event",
    aliases=(Alias("Event Group", _LIVE_SUBSCRIPTION_EVENTS),),
)
EVENT_NAME = Column(
    "Event Name",
    meaning="Subscription event (docs call it Event Sub Type)",
    aliases=(Alias("Event Sub Type", _DOCUMENTED_SUBSCRIPTION_EVENTS),),
)
EVENT_SUB_TYPE = Column(
    "Event Sub Type", meaning="Subscription event", aliases=(Alias("Event Name", _LIVE_SUBSCRIPTION_EVENTS),)
)
ENGAGEMENT_TYPE = Column("Engagement Type", meaning="Action taken on an impression or page; empty for non-tap events")
EVENT = Column("Event", meaning="Kind of event")
FAMILY_SHARING = Column("Family Sharing", meaning="Individual or shared with family")
OFFER_DURATION = Column("Offer Duration", meaning="Length of the offer")
OFFER_ID = Column("Offer ID", meaning="Offer id")
OFFER_NAME = Column("Offer Name", meaning="Offer name")
OFFER_PRICING = Column("Offer Pricing", meaning="Pricing mechanism of the offer")
OFFER_TYPE = Column("Offer Type", meaning="Kind of redeemed offer")
ORIGINAL_PURCHASE_DEVICE = Column(
    "Original Purchase Device", meaning="Device of the first purchase of the subscription"
)
PAGE_TITLE = Column("Page Title", meaning="Name of the product page / in-app event page (Detailed only)")
PAGE_TYPE = Column("Page Type", meaning="Kind of App Store page involved")
PLATFORM = Column(
    "Platform", meaning="OS version of the device (telemetry-style reports use this header instead of Platform Version)"
)
_EARLIER_PREORDERS = "an earlier state of Apple's page app-store-pre-order"
PLATFORM_VERSION = Column(
    "Platform Version",
    meaning='OS name + version, e.g. "iOS 26.5"; iPad rows say iOS too',
    aliases=(Alias("Platform Verison", _EARLIER_PREORDERS),),
)
PRE_ORDER = Column(
    "Pre-Order", meaning="Flag that the download/purchase came from a pre-order; empty in all observed rows"
)
PRE_ORDERS_CANCELED = Column(
    "Pre-Orders Canceled",
    type=ColumnType.INT64,
    role=Role.ADDITIVE,
    required=True,
    meaning="Pre-orders cancelled",
    aliases=(Alias("Pre-Order Canceled", _EARLIER_PREORDERS),),
)
PRE_ORDERS_PLACED = Column(
    "Pre-Orders Placed",
    type=ColumnType.INT64,
    role=Role.ADDITIVE,
    required=True,
    meaning="Pre-orders placed",
    aliases=(Alias("Pre-Order Placed", "Fivetran's table app_store_pre_order_detailed_daily"),),
)
RELEASE_TYPE = Column("Release Type", meaning="Kind of OS release")
SOURCE_INFO = Column("Source Info", meaning="Referring app bundle id or web domain (Detailed only)")
SOURCE_TYPE = Column("Source Type", meaning="Channel through which the user found the app")
SUBSCRIPTION_DURATION = Column("Subscription Duration", meaning="Standard length of the subscription")
SUBSCRIPTION_GROUP = Column("Subscription Group", meaning="Subscription group name")
SUBSCRIPTION_GROUP_IDENTIFIER = Column(
    "Subscription Group Identifier", type=ColumnType.INT64, role=Role.IDENTIFIER, meaning="Apple id of the group"
)
SUBSCRIPTION_IDENTIFIER = Column(
    "Subscription Identifier", type=ColumnType.INT64, role=Role.IDENTIFIER, meaning="Apple id of the subscription"
)
SUBSCRIPTION_NAME = Column("Subscription Name", meaning="Subscription name")
TERRITORY = Column("Territory", meaning="Storefront country/region (two-letter codes observed)")
TOTAL_SESSION_DURATION = Column(
    "Total Session Duration",
    type=ColumnType.INT64,
    role=Role.ADDITIVE,
    required=True,
    meaning="Sum of session lengths in seconds",
)
UNIQUE_DEVICES = Column(
    "Unique Devices",
    type=ColumnType.INT64,
    role=Role.NON_ADDITIVE,
    required=True,
    meaning="Distinct devices behind the row; not additive across rows",
)
VANITY_CODE = Column("Vanity Code", meaning="Custom offer code")
