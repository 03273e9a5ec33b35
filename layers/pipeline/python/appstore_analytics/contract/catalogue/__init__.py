"""Apple's Analytics Reports as plain data, one module per Apple category.

Source: Apple's documentation of Analytics Reports (each definition's `documentation`) and App Store Connect API 4.4.1.
"""

from appstore_analytics.contract.catalogue import (
    app_store_engagement,
    app_usage,
    commerce,
    framework_usage,
    performance,
)
from appstore_analytics.contract.catalogue.definition import ReportDefinition

REPORTS: tuple[ReportDefinition, ...] = (
    *commerce.REPORTS,
    *app_store_engagement.REPORTS,
    *app_usage.REPORTS,
    *performance.REPORTS,
    *framework_usage.REPORTS,
)

REPORTS_BY_NAME = {report.name: report for report in REPORTS}

CORE_REPORT_NAMES: tuple[str, ...] = (
    "App Downloads Detailed",
    "App Downloads Standard",
    "App Store Installation and Deletion Detailed",
    "App Store Installation and Deletion Standard",
    "App Sessions Detailed",
    "App Sessions Standard",
    "App Store Purchases Detailed",
    "App Store Purchases Standard",
    "App Store Discovery and Engagement Detailed",
    "App Store Discovery and Engagement Standard",
    "App Crashes",
    "App Crashes Expanded",
    "App Install Performance",
    "App Store Subscription Event Report Detailed",
    "App Store Subscription Event Report Standard",
    "App Store Subscription State Report Detailed",
    "App Store Subscription State Report Standard",
    "App Store Pre-Orders Detailed",
    "App Store Pre-Orders Standard",
    "App Store Web Preview Engagement Detailed",
    "App Store Web Preview Engagement Standard",
    "App Clip Usage Detailed",
    "App Clip Usage Standard",
    "App Opt In",
    "Platform App Installs",
    "Retention Messaging",
)
"""The reports that have tables by default: use of an app, on the App Store and on devices."""
