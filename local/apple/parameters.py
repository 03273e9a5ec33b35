"""The query parameters of the simulated routes of App Store Connect 4.5.1, and the values that they can have.

Source: Apple's documentation of each endpoint. The fields of resources that are not simulated are not checked.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date

from appstore_analytics.contract.catalogue.definition import AccessType, Category, Granularity
from local.apple.http import ApiError, Call

HIGHEST_LIMIT = 200
HIGHEST_INCLUDED = 50

Check = Callable[[str], str]
"""The error in a value of a parameter; empty if there is none."""

Parameters = Mapping[str, Check]

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def check_query(call: Call, parameters: Parameters) -> None:
    """ApiError 400 names the first parameter that the route does not have, or whose value it cannot have."""
    for name, value in call.query.items():
        if name not in parameters:
            detail = f"The parameter '{name}' can not be used with this request"
            raise ApiError(400, "PARAMETER_ERROR.ILLEGAL", "A parameter has an invalid value", detail, name)
        if wrong := parameters[name](value):
            raise invalid(name, wrong)


def invalid(parameter: str, detail: str) -> ApiError:
    """A parameter with a value that it cannot have."""
    return ApiError(400, "PARAMETER_ERROR.INVALID", "A parameter has an invalid value", detail, parameter)


def _anything(_value: str) -> str:
    return ""


def _words(*allowed: str) -> Check:
    """A list of these words, separated by commas."""

    def check(value: str) -> str:
        unknown = next((word for word in value.split(",") if word not in allowed), None)
        return "" if unknown is None else f"'{unknown}' is not a valid value"

    return check


def _number(highest: int) -> Check:
    def check(value: str) -> str:
        is_number = value.isascii() and value.isdigit() and 1 <= int(value) <= highest
        return "" if is_number else f"'{value}' is not between 1 and {highest}"

    return check


def _days(value: str) -> str:
    for day in value.split(","):
        try:
            date.fromisoformat(day if _DAY.fullmatch(day) else "")
        except ValueError:
            return f"'{day}' is not a date like 2026-01-31"
    return ""


def _sort(*keys: str) -> Check:
    return _words(*keys, *(f"-{key}" for key in keys))


_LIMIT: Parameters = {"limit": _number(HIGHEST_LIMIT), "cursor": _anything}

_REQUEST_FIELDS = {"fields[analyticsReportRequests]": _words("accessType", "stoppedDueToInactivity", "reports")}
_REPORT_FIELDS = {"fields[analyticsReports]": _words("name", "category", "instances")}
_INSTANCE_FIELDS = {"fields[analyticsReportInstances]": _words("granularity", "processingDate", "segments")}
_SEGMENT_FIELDS = {"fields[analyticsReportSegments]": _words("checksum", "sizeInBytes", "url")}
_INCLUDED_REPORTS = {"include": _words("reports"), "limit[reports]": _number(HIGHEST_INCLUDED)}

_APP_ATTRIBUTES = [
    "accessibilityUrl",
    "name",
    "bundleId",
    "sku",
    "primaryLocale",
    "isOrEverWasMadeForKids",
    "subscriptionStatusUrl",
    "subscriptionStatusUrlVersion",
    "subscriptionStatusUrlForSandbox",
    "subscriptionStatusUrlVersionForSandbox",
    "contentRightsDeclaration",
    "streamlinedPurchasingEnabled",
]
APP_INCLUDES = [
    "appEncryptionDeclarations",
    "appStoreIcon",
    "ciProduct",
    "betaGroups",
    "appStoreVersions",
    "preReleaseVersions",
    "betaAppLocalizations",
    "builds",
    "betaLicenseAgreement",
    "betaAppReviewDetail",
    "appInfos",
    "appClips",
    "endUserLicenseAgreement",
    "inAppPurchases",
    "subscriptionGroups",
    "gameCenterEnabledVersions",
    "appCustomProductPages",
    "inAppPurchasesV2",
    "promotedPurchases",
    "appEvents",
    "reviewSubmissions",
    "subscriptionGracePeriod",
    "gameCenterDetail",
    "appStoreVersionExperimentsV2",
    "androidToIosAppMappingDetails",
]
_OTHER_APP_RELATIONSHIPS = [
    "accessibilityDeclarations",
    "betaTesters",
    "appTags",
    "appPricePoints",
    "appPriceSchedule",
    "appAvailabilityV2",
    "perfPowerMetrics",
    "customerReviews",
    "customerReviewSummarizations",
    "alternativeDistributionKey",
    "analyticsReportRequests",
    "marketplaceSearchDetail",
    "buildUploads",
    "backgroundAssets",
    "betaFeedbackScreenshotSubmissions",
    "betaFeedbackCrashSubmissions",
    "searchKeywords",
    "webhooks",
]
_APP_FIELDS = {"fields[apps]": _words(*_APP_ATTRIBUTES, *APP_INCLUDES, *_OTHER_APP_RELATIONSHIPS)}
_ONE_TO_ONE = [
    "appStoreIcon",
    "ciProduct",
    "betaLicenseAgreement",
    "betaAppReviewDetail",
    "endUserLicenseAgreement",
    "subscriptionGracePeriod",
    "gameCenterDetail",
]
_TYPES_BESIDE_APPS = [
    "appEncryptionDeclarations",
    "buildIcons",
    "ciProducts",
    "betaGroups",
    "preReleaseVersions",
    "betaAppLocalizations",
    "builds",
    "betaLicenseAgreements",
    "betaAppReviewDetails",
    "appInfos",
    "appClips",
    "endUserLicenseAgreements",
    "inAppPurchases",
    "subscriptionGroups",
    "gameCenterEnabledVersions",
    "appCustomProductPages",
    "promotedPurchases",
    "appEvents",
    "reviewSubmissions",
    "subscriptionGracePeriods",
    "gameCenterDetails",
    "appStoreVersionExperiments",
    "androidToIosAppMappingDetails",
]

_VERSION_INCLUDES = [
    "app",
    "appStoreVersionLocalizations",
    "build",
    "appStoreVersionPhasedRelease",
    "gameCenterAppVersion",
    "routingAppCoverage",
    "appStoreReviewDetail",
    "appStoreVersionSubmission",
    "appClipDefaultExperience",
    "appStoreVersionExperiments",
    "appStoreVersionExperimentsV2",
    "alternativeDistributionPackage",
]
_VERSION_ATTRIBUTES = [
    "platform",
    "versionString",
    "appStoreState",
    "appVersionState",
    "copyright",
    "reviewType",
    "releaseType",
    "earliestReleaseDate",
    "usesIdfa",
    "downloadable",
    "createdDate",
]
_VERSION_FIELDS = {"fields[appStoreVersions]": _words(*_VERSION_ATTRIBUTES, *_VERSION_INCLUDES, "customerReviews")}
_TYPES_BESIDE_VERSIONS = [
    "appStoreVersionLocalizations",
    "builds",
    "appStoreVersionPhasedReleases",
    "gameCenterAppVersions",
    "routingAppCoverages",
    "appStoreReviewDetails",
    "appStoreVersionSubmissions",
    "appClipDefaultExperiences",
    "appStoreVersionExperiments",
    "alternativeDistributionPackages",
]
_PLATFORMS = ("IOS", "MAC_OS", "TV_OS", "VISION_OS")
_VERSION_STATES = [
    "ACCEPTED",
    "DEVELOPER_REJECTED",
    "IN_REVIEW",
    "INVALID_BINARY",
    "METADATA_REJECTED",
    "PENDING_APPLE_RELEASE",
    "PENDING_DEVELOPER_RELEASE",
    "PREPARE_FOR_SUBMISSION",
    "READY_FOR_REVIEW",
    "REJECTED",
    "WAITING_FOR_EXPORT_COMPLIANCE",
    "WAITING_FOR_REVIEW",
    "REPLACED_WITH_NEW_VERSION",
]
_APP_VERSION_STATES = (*_VERSION_STATES, "PROCESSING_FOR_DISTRIBUTION", "READY_FOR_DISTRIBUTION")
_STORE_STATES = [
    "DEVELOPER_REMOVED_FROM_SALE",
    "PENDING_CONTRACT",
    "PREORDER_READY_FOR_SALE",
    "PROCESSING_FOR_APP_STORE",
    "READY_FOR_SALE",
    "REMOVED_FROM_SALE",
    "NOT_APPLICABLE",
]
_APP_STORE_STATES = (*_VERSION_STATES, *_STORE_STATES)
_REVIEW_STATES = [
    "READY_FOR_REVIEW",
    "WAITING_FOR_REVIEW",
    "IN_REVIEW",
    "UNRESOLVED_ISSUES",
    "CANCELING",
    "COMPLETING",
    "COMPLETE",
]
_ROLES = [
    "ADMIN",
    "FINANCE",
    "ACCOUNT_HOLDER",
    "SALES",
    "MARKETING",
    "APP_MANAGER",
    "DEVELOPER",
    "ACCESS_TO_REPORTS",
    "CUSTOMER_SUPPORT",
    "CREATE_APPS",
    "CLOUD_MANAGED_DEVELOPER_ID",
    "CLOUD_MANAGED_APP_DISTRIBUTION",
    "GENERATE_INDIVIDUAL_KEYS",
]
_USER_FIELDS = _words(
    "username", "firstName", "lastName", "roles", "allAppsVisible", "provisioningAllowed", "visibleApps"
)

NONE: Parameters = {}
LINKAGES: Parameters = _LIMIT
REQUEST: Parameters = {**_REQUEST_FIELDS, **_REPORT_FIELDS, **_INCLUDED_REPORTS}
REQUESTS_OF_APP: Parameters = {**_LIMIT, **REQUEST, "filter[accessType]": _words(*AccessType)}
REPORT: Parameters = _REPORT_FIELDS
REPORTS_OF_REQUEST: Parameters = {
    **_LIMIT,
    **_REPORT_FIELDS,
    "filter[name]": _anything,
    "filter[category]": _words(*Category),
}
INSTANCE: Parameters = _INSTANCE_FIELDS
INSTANCES_OF_REPORT: Parameters = {
    **_LIMIT,
    **_INSTANCE_FIELDS,
    "filter[granularity]": _words(*Granularity),
    "filter[processingDate]": _days,
}
SEGMENT: Parameters = _SEGMENT_FIELDS
SEGMENTS_OF_INSTANCE: Parameters = {**_LIMIT, **_SEGMENT_FIELDS}
APP: Parameters = {
    **_APP_FIELDS,
    **_VERSION_FIELDS,
    **{f"fields[{name}]": _anything for name in _TYPES_BESIDE_APPS},
    **{f"limit[{name}]": _number(HIGHEST_INCLUDED) for name in APP_INCLUDES if name not in _ONE_TO_ONE},
    "include": _words(*APP_INCLUDES),
}
APPS: Parameters = {
    **_LIMIT,
    **APP,
    "filter[id]": _anything,
    "filter[name]": _anything,
    "filter[bundleId]": _anything,
    "filter[sku]": _anything,
    "filter[appStoreVersions]": _anything,
    "filter[appStoreVersions.platform]": _words(*_PLATFORMS),
    "filter[appStoreVersions.appStoreState]": _words(*_APP_STORE_STATES),
    "filter[appStoreVersions.appVersionState]": _words(*_APP_VERSION_STATES),
    "filter[reviewSubmissions.state]": _words(*_REVIEW_STATES),
    "filter[reviewSubmissions.platform]": _words(*_PLATFORMS),
    "exists[gameCenterEnabledVersions]": _words("true", "false"),
    "sort": _sort("name", "bundleId", "sku"),
}
VERSIONS_OF_APP: Parameters = {
    **_LIMIT,
    **_APP_FIELDS,
    **_VERSION_FIELDS,
    **{f"fields[{name}]": _anything for name in _TYPES_BESIDE_VERSIONS},
    "limit[appStoreVersionLocalizations]": _number(HIGHEST_INCLUDED),
    "limit[appStoreVersionExperiments]": _number(HIGHEST_INCLUDED),
    "limit[appStoreVersionExperimentsV2]": _number(HIGHEST_INCLUDED),
    "filter[id]": _anything,
    "filter[platform]": _words(*_PLATFORMS),
    "filter[versionString]": _anything,
    "filter[appStoreState]": _words(*_APP_STORE_STATES),
    "filter[appVersionState]": _words(*_APP_VERSION_STATES),
    "include": _words(*_VERSION_INCLUDES),
}
USERS: Parameters = {
    **_LIMIT,
    **_APP_FIELDS,
    "fields[users]": _USER_FIELDS,
    "filter[username]": _anything,
    "filter[roles]": _words(*_ROLES),
    "filter[visibleApps]": _anything,
    "include": _words("visibleApps"),
    "limit[visibleApps]": _number(HIGHEST_INCLUDED),
    "sort": _sort("username", "lastName"),
}
