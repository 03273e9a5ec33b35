"""The weekly digest: its readers and their numbers, once a week, and its unsubscribe link."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from acting import Office, new_office
from api_asking import pipeline_after
from botocore.config import Config
from migrated import Migrated

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.slack.webhook import NotDeliveredError
from appstore_console.database.digests_sent import StoredDigestsSent
from appstore_console.digest import sending
from appstore_console.digest.links import Links
from appstore_console.digest.mailbox import Mailbox
from appstore_console.digest.sending import SomeNotSentError, WeeklyDigest
from appstore_console.digest.unsubscribing import Unsubscribing
from appstore_console.rights import Role
from appstore_console.signed_in import today_of
from local.apple.model import Series
from local.aws.server import EmbeddedAws
from tests.integration.answers.asking import days
from tests.integration.pipeline_in_process import APP, DOWNLOADS, Pipeline

OTHER = "1000000002"
ADA = "ada@example.com"
SENDER = "analytics@example.com"
SIGNED = Links("https://console.example.com", lambda: "0123456789abcdef0123456789abcdef")


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with pipeline_after(4, rows_per_date=6, dates_per_instance=4) as pipeline:
        yield pipeline


@dataclass
class Desk:
    """A setup that sends digests. `posted` has the messages to the Slack channel."""

    office: Office
    aws: EmbeddedAws
    posted: list[str] = field(default_factory=list)

    def digest(self, **more: Any) -> WeeklyDigest:
        data = self.office.data("send_digest")
        digest = WeeklyDigest(
            replace(self.office.console(data), desk=None),
            StoredDigestsSent(self.office.opened[-1]),
            today_of(self.office.accounts),
            Mailbox(self.aws.client("sesv2"), SENDER),
            SIGNED,
            self.posted.append,
        )
        return replace(digest, **more)

    def subscribe(self, user_id: str, *groups: str, **body: Any) -> str:
        answer = self.office.somebody(user_id, *groups).post("/subscriptions", {"channel": "email", **body})
        assert answer.status == 201, answer.text
        return str(answer.json["subscription_id"])

    def mails(self, to: str = ADA) -> list[Any]:
        return [mail for mail in self.aws.e_mails() if mail.to == (to,) and "week of" in mail.subject]


@pytest.fixture
def desk(pipeline: Pipeline, cluster: Migrated, embedded_aws: EmbeddedAws, request: Any) -> Iterator[Desk]:
    embedded_aws.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    office = new_office(pipeline, cluster, embedded_aws, re.sub("[^a-z_]", "", request.node.name)[:60])
    yield Desk(office, embedded_aws)
    office.close()
    embedded_aws.client("sesv2").delete_email_identity(EmailIdentity=SENDER)


def test_a_subscriber_gets_the_numbers_of_the_api_once_a_week(desk: Desk) -> None:
    ada = desk.office.person(ADA, Role.VIEWER)
    desk.subscribe(ada)
    before = len(desk.mails())
    assert desk.digest().send() == {"sent": 1}
    (mail,) = desk.mails()[before:]
    assert mail.subject == "App Store analytics, week of 2025-06-02: 2 apps"
    address = "/kpis/query?metrics=total_downloads&days=7&compare=previous"
    (series,) = desk.office.somebody(ada).get(address).json["series"]
    assert f"Total downloads: {series['total']['value']:,} (" in mail.body
    assert desk.digest().send() == {"sent_before": 1}
    assert len(desk.mails()) == before + 1


def test_a_limited_reader_gets_the_granted_apps_alone(desk: Desk, pipeline: Pipeline) -> None:
    ada = desk.office.person(ADA, Role.VIEWER, APP)
    desk.subscribe(ada, "viewer", "limited")
    before = len(desk.mails())
    assert desk.digest().send() == {"sent": 1}
    (mail,) = desk.mails()[before:]
    assert "1 app," in mail.body
    assert OTHER not in mail.body
    assert pipeline.world.apps[OTHER].name not in mail.body


def test_who_may_no_longer_read_gets_nothing(desk: Desk) -> None:
    gone = desk.office.person("gone@example.com", Role.VIEWER)
    disabled = desk.office.person("disabled@example.com", Role.VIEWER)
    ungranted = desk.office.person("ungranted@example.com", Role.VIEWER, APP)
    for user_id, groups in ((gone, ("viewer",)), (disabled, ("viewer",)), (ungranted, ("viewer", "limited"))):
        desk.subscribe(user_id, *groups)
    desk.office.accounts.delete(gone)
    desk.office.accounts.change(disabled, is_enabled=False)
    desk.office.data().grants.replace(ungranted, (), "test")
    assert desk.digest().send() == {"nobody_reads": 3}


def test_what_ses_refuses_is_sent_by_the_next_try(desk: Desk) -> None:
    desk.subscribe(desk.office.person(ADA, Role.VIEWER))
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    nowhere = Mailbox(boto3.client("sesv2", endpoint_url="http://127.0.0.1:1", config=once), SENDER)
    before = len(desk.mails())
    with pytest.raises(SomeNotSentError, match="1 of 1 digests could not be sent"):
        desk.digest(mailbox=nowhere).send()
    assert desk.digest().send() == {"sent": 1}
    assert len(desk.mails()) == before + 1


def test_the_log_has_the_code_of_a_refusal_and_nobodys_address(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.subscribe(desk.office.person(ADA, Role.VIEWER))
    told: list[Any] = []
    monkeypatch.setattr(sending.logger, "error", lambda _, extra: told.append(extra))
    with pytest.raises(SomeNotSentError):
        desk.digest(mailbox=Mailbox(desk.aws.client("sesv2"), "unverified@example.com")).send()
    (about,) = told
    assert about["error"] == "MessageRejected"
    assert ADA not in str(about)


def test_the_slack_channel_is_told_of_the_apps_that_an_admin_named(desk: Desk, pipeline: Pipeline) -> None:
    admin = desk.office.person("admin@example.com", Role.ADMIN)
    desk.subscribe(admin, "admin", channel="slack", app_ids=[APP])

    def down(_: str) -> None:
        raise NotDeliveredError("Slack answered 500 to a message.")

    with pytest.raises(SomeNotSentError):
        desk.digest(slack=down).send()
    assert desk.digest().send() == {"sent": 1}
    (text,) = desk.posted
    assert "1 app" in text
    assert pipeline.world.apps[OTHER].name not in text
    assert "unsubscribe" not in text
    assert desk.digest(slack=None).send() == {"nobody_reads": 1}


def ask(page: Unsubscribing, method: str, link: str) -> tuple[int, str]:
    parts = urlsplit(link)
    event = {
        "rawPath": parts.path,
        "queryStringParameters": {name: values[0] for name, values in parse_qs(parts.query).items()} or None,
        "requestContext": {"http": {"method": method, "path": parts.path}},
    }
    answer = page(event, SimpleNamespace())
    assert answer["headers"]["Content-Security-Policy"].startswith("default-src 'none'")
    return answer["statusCode"], answer["body"]


def test_the_link_in_a_digest_ends_it_without_a_login(desk: Desk) -> None:
    subscription = desk.subscribe(desk.office.person(ADA, Role.VIEWER))
    desk.digest().send()
    (link,) = re.findall(r"Unsubscribe: (\S+)", desk.mails()[-1].body)
    data = desk.office.data()
    page = Unsubscribing(desk.office.api(), data.subscriptions, data.audit, SIGNED)
    for _ in range(2):
        status, text = ask(page, "GET", link)
        assert (status, "<button>" in text) == (200, True)
    assert len(desk.office.rows("subscriptions")) == 1, "a mail program that follows links ends nothing"
    assert "no longer get" in ask(page, "POST", link)[1]
    assert desk.office.rows("subscriptions") == []
    assert "you have unsubscribed already" in ask(page, "POST", link)[1]
    told = [(row["action"], row["target"], row["outcome"]) for row in desk.office.rows("audit")]
    assert ("unsubscribe", subscription, "done") in told


def test_a_link_that_was_not_signed_here_ends_nothing(desk: Desk) -> None:
    ours = desk.subscribe(desk.office.person(ADA, Role.VIEWER))
    data = desk.office.data()
    page = Unsubscribing(desk.office.api(), data.subscriptions, data.audit, SIGNED)
    forged = Links(SIGNED.console_url, lambda: "f" * 32)
    other = SIGNED.token("00000000-0000-0000-0000-000000000000").partition(".")[2]
    for token in (ours, f"{ours}.", f"{ours}.{other}", forged.token(ours), "é", ""):
        status, text = ask(page, "POST", f"{SIGNED.console_url}/unsubscribe?token={token}")
        assert (status, "you have unsubscribed already" in text) == (404, True), token
    without = replace(page, links=None)
    assert ask(without, "POST", SIGNED.unsubscribe(ours))[0] == 404
    assert len(desk.office.rows("subscriptions")) == 1


def test_every_other_request_is_the_apis(desk: Desk) -> None:
    ada = desk.office.person(ADA, Role.VIEWER)
    data = desk.office.data()
    page = Unsubscribing(desk.office.api(data), data.subscriptions, data.audit, SIGNED)
    somebody = desk.office.somebody(ada, api=page)  # type: ignore[arg-type]
    assert somebody.post("/views", {"name": "Mine", "page": "apps", "state": "{}"}).status == 201


def test_what_apple_restated_is_told_as_the_api_tells_it(desk: Desk, pipeline: Pipeline) -> None:
    """The last test of the module: the Date changes for good."""
    restated = pipeline.world.today - timedelta(days=3)
    pipeline.world.restate(Series(APP, DOWNLOADS, Granularity.DAILY), restated)
    days(pipeline, 1)
    ada, bob = desk.office.person(ADA, Role.VIEWER), desk.office.person("bob@example.com", Role.VIEWER, OTHER)
    desk.subscribe(ada)
    desk.subscribe(bob, "viewer", "limited")
    assert desk.digest().send() == {"sent": 2}
    api = desk.office.somebody(ada).get(f"/restatements?from={restated}&to={restated}").json["restatements"]
    (counts,) = [line for line in api if line["measure"] == "counts"]
    told = f"{pipeline.world.apps[APP].name}, downloads, {restated}: counts {counts['before']:,} → {counts['now']:,}"
    assert f"- {told}" in desk.mails()[-1].body.splitlines()
    assert "Apple has restated nothing in the last 7 days." in desk.mails("bob@example.com")[-1].body
