"""The weekly digest: one per week and subscription, about the apps that its reader can see at that time.

    subscription ─► can its reader sign in, and see what? ─► claimed for this week? ─► sent
                    no: not sent                             no: sent already          refused: given back, tried again

A reader who lost a role or an app since they subscribed gets less. A digest is never sent twice: if a function dies
between the claim and SES, that week's digest is not sent.
"""

import html
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from appstore_analytics.slack.webhook import NotDeliveredError
from appstore_analytics.wiring.telemetry import logger
from appstore_console.console import Console
from appstore_console.database.digests_sent import StoredDigestsSent
from appstore_console.database.subscriptions import CHANNEL_ITSELF
from appstore_console.digest.links import Links
from appstore_console.digest.mailbox import Mailbox
from appstore_console.digest.weekly import Week, monday_of, week_of
from appstore_console.digest.words import subject_of, text_of
from appstore_console.facts import Subscription
from appstore_console.rights import Person, Right

SENT, SENT_BEFORE, NOBODY_READS, FAILED = "sent", "sent_before", "nobody_reads", "failed"


class SomeNotSentError(Exception):
    """Some digests could not be sent. A retry sends only these."""


@dataclass
class WeeklyDigest:
    """`today` returns a person's current rights, None if they cannot sign in; `slack` posts to the channel, if any."""

    console: Console
    sent: StoredDigestsSent
    today: Callable[[str], Person | None]
    mailbox: Mailbox
    links: Links
    slack: Callable[[str], None] | None = None
    _weeks: dict[frozenset[str] | None, Week] = field(default_factory=dict)

    def send(self) -> dict[str, int]:
        """Counts digests sent now, sent before, and without a reader; SomeNotSentError if SES or Slack refused some.

        A second run in the same week sends what the first could not, and nothing twice.
        """
        self._weeks.clear()
        ends = Counter(self._send(each) for each in self.console.data.subscriptions.every())
        if ends[FAILED]:
            raise SomeNotSentError(
                f"{ends[FAILED]} of {ends.total()} digests could not be sent: the log has the reasons."
            )
        return dict(ends)

    def _send(self, subscription: Subscription) -> str:
        to_whom = self._reader(subscription)
        if to_whom is None:
            return NOBODY_READS
        app_ids, deliver = to_whom
        monday = monday_of(self.console.clock().date())
        week = self._week(app_ids)
        if not self.sent.claim(monday, subscription.subscription_id):
            return SENT_BEFORE
        try:
            deliver(week)
        except (BotoCoreError, ClientError, NotDeliveredError) as error:
            self.sent.release(monday, subscription.subscription_id)
            about = {"subscription_id": subscription.subscription_id, "error": _named(error)}
            logger.error("A digest was not sent", extra=about)
            return FAILED
        return SENT

    def _reader(self, subscription: Subscription) -> tuple[frozenset[str] | None, Callable[[Week], None]] | None:
        """The message and its sender; None if the reader has no login, or can see none of the apps."""
        named = None if subscription.app_ids is None else frozenset(subscription.app_ids)
        if subscription.user_id == CHANNEL_ITSELF:
            return (named, self._post) if named and self.slack else None
        person = self.today(subscription.user_id)
        if person is None or not person.may(Right.READ):
            return None
        app_ids = self._seen(person, named)
        if app_ids is not None and not app_ids:
            return None
        return app_ids, lambda week: self._mail(person, subscription, week)

    def _seen(self, person: Person, named: frozenset[str] | None) -> frozenset[str] | None:
        """The named apps that the person can see; None for all."""
        if not person.is_limited:
            return named
        granted = self.console.granted(person)
        return granted if named is None else granted & named

    def _week(self, app_ids: frozenset[str] | None) -> Week:
        if app_ids not in self._weeks:
            self._weeks[app_ids] = week_of(self.console, app_ids)
        return self._weeks[app_ids]

    def _mail(self, person: Person, subscription: Subscription, week: Week) -> None:
        unsubscribe = self.links.unsubscribe(subscription.subscription_id)
        text = f"{text_of(week, self.links.console_url)}\n\nUnsubscribe: {unsubscribe}\n"
        self.mailbox.send(person.email, subject_of(week), text, unsubscribe)

    def _post(self, week: Week) -> None:
        """Slack interprets `<` and `&`, so they are escaped. An admin ends this digest in the console."""
        if self.slack:
            text = f"*{subject_of(week)}*\n{text_of(week, self.links.console_url)}"
            self.slack(html.escape(text, quote=False))


def _named(error: Exception) -> str:
    """What happened, without AWS's sentence: it can name the reader's address."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
