"""Which report answers which question: the index of docs/reports.md. Tables are named by the stem of their report."""

QUESTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("How many people downloaded the app, for the first time or again? How many updates were there?", ("downloads",)),
    (
        "From where did the downloads come: search, browsing, a campaign, a website, another app?",
        ("downloads_detailed",),
    ),
    ("How often was the app shown in the App Store, and how often was its page opened?", ("engagement",)),
    ("Which campaign, page or referrer led to impressions and page views?", ("engagement_detailed",)),
    ("How often was the app's page on the web opened?", ("web_preview", "web_preview_detailed")),
    ("How many pre-orders were placed and cancelled?", ("preorders", "preorders_detailed")),
    ("How often was the app installed, and how often deleted?", ("installs", "installs_detailed")),
    ("How many devices were apps of a platform installed on?", ("platform_installs",)),
    ("Did installations succeed, and how long did they take?", ("performance",)),
    ("How often and how long is the app used, on how many devices?", ("sessions", "sessions_detailed")),
    ("How many of those who download the app agree to share usage data?", ("opt_in",)),
    ("How often does the app crash, in which version and on which device?", ("crashes", "crashes_expanded")),
    ("How is the App Clip used?", ("app_clips", "app_clips_detailed")),
    ("What was sold, and what are the proceeds?", ("purchases",)),
    ("Which campaign, page or referrer led to sales?", ("purchases_detailed",)),
    (
        "How many subscriptions started, renewed, changed or ended?",
        ("subscription_events", "subscription_events_detailed"),
    ),
    (
        "How many subscriptions are active, in a trial or in a grace period?",
        ("subscription_states", "subscription_states_detailed"),
    ),
    ("Did a retention message keep subscribers from cancelling?", ("retention_messaging",)),
)
"""Every report that has tables by default is in one of them; the names of the others say what they count."""
