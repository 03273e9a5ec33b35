"""E-mail through Amazon SES, one message to one person."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`sender` is an address, or an address of a domain, that SES has verified."""

    ses: "SESV2Client"
    sender: str

    def send(self, to: str, subject: str, text: str, unsubscribe: str) -> None:
        """Send plain text. The headers let mail programs unsubscribe with one click (RFC 8058)."""
        self.ses.send_email(
            FromEmailAddress=self.sender,
            Destination={"ToAddresses": [to]},
            Content={
                "Simple": {
                    "Subject": {"Data": subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
                    "Headers": [
                        {"Name": "List-Unsubscribe", "Value": f"<{unsubscribe}>"},
                        {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
                    ],
                }
            },
        )
