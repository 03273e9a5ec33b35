"""The users of the web console: for the first admin, and for operators with AWS permissions and no browser."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import counted
from operations.commands.asked import Asked, answer
from operations.console_api import ConsoleApi
from operations.console_login import ConsoleLogin
from operations.options import Apps
from operations.questions import app_ids_of

app = typer.Typer(help="The users of the web console.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(metavar="E-MAIL", help="The user's address.")]


class Role(StrEnum):
    """A user's role; docs/console.md has a table of their rights."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ConsoleUser:
    """One user. `apps` is empty if the user sees all apps."""

    email: str
    role: str
    state: str
    second_factor: bool
    apps: tuple[str, ...] | str
    last_action: str


@dataclass(frozen=True, slots=True)
class ConsoleUsers:
    """All users of the console at this address."""

    address: str
    users: tuple[ConsoleUser, ...]

    @property
    def is_good(self) -> bool:
        """Always true: no number of users is wrong."""
        return True

    @property
    def sentence(self) -> str:
        """The number of users, and how to invite the first."""
        if not self.users:
            return "No users yet: ./manage.py users invite E-MAIL --role admin"
        return f"{counted(len(self.users), 'person', 'people')} can sign in."


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of a user."""

    user: ConsoleUser
    done: str

    @property
    def is_good(self) -> bool:
        """Always true: it was done."""
        return True

    @property
    def sentence(self) -> str:
        """The change in one sentence."""
        return self.done


@app.command("list")
def list_users(context: typer.Context) -> None:
    """List all users and the console's address."""
    console = context.obj.where.open_console()
    people = console.ask("GET", "/users")["people"]
    answer(context.obj, ConsoleUsers(console.url, tuple(map(_user, people))))


@app.command("invite")
def invite(
    context: typer.Context,
    email: Email,
    *,
    role: Annotated[Role, typer.Option(help="The user's role.")] = Role.VIEWER,
    apps: Apps = None,
) -> None:
    """Invite a user by e-mail. With --apps they see only these apps."""
    asked: Asked = context.obj
    body: dict[str, Any] = {"email": email, "role": role}
    if apps:
        body["app_ids"] = sorted(app_ids_of(asked.installation(), apps) or ())
    person = asked.where.open_console().ask("POST", "/users", body)
    answer(asked, Changed(_user(person), f"{person['email']} was invited and gets a temporary password by e-mail."))


@app.command("role")
def set_role(
    context: typer.Context, email: Email, role: Annotated[Role, typer.Argument(help="The user's new role.")]
) -> None:
    """Change a user's role. A lower role signs them out."""
    _change(context.obj, email, {"role": role}, f"The role is {role} now.")


@app.command("disable")
def disable(context: typer.Context, email: Email) -> None:
    """Disable a user and sign them out everywhere. Their views and subscriptions stay."""
    _change(context.obj, email, {"is_enabled": False}, f"{email} can no longer sign in.")


@app.command("enable")
def enable(context: typer.Context, email: Email) -> None:
    """Enable a disabled user."""
    _change(context.obj, email, {"is_enabled": True}, f"{email} can sign in again.")


@app.command("grant")
def grant(
    context: typer.Context,
    email: Email,
    *,
    apps: Apps = None,
    every: Annotated[bool, typer.Option("--all", help="All apps, including future ones.")] = False,
) -> None:
    """Set the apps that a user sees: only these, or all."""
    asked: Asked = context.obj
    if bool(apps) == every:
        raise Refused("Choose the apps: --apps with their ids or names, or --all.")
    app_ids = None if every else app_ids_of(asked.installation(), apps)
    seen = "all apps" if app_ids is None else counted(len(app_ids), "app")
    _change(asked, email, {"app_ids": None if app_ids is None else sorted(app_ids)}, f"{email} sees {seen}.")


@app.command("reset")
def reset(context: typer.Context, email: Email) -> None:
    """Reset a user's password and second factor, and invite them again. Their views and subscriptions stay."""
    asked: Asked = context.obj
    console = asked.where.open_console()
    person = _find(console, email)
    console.ask("DELETE", f"/users/{person['user_id']}/second-factor")
    said = f"{person['email']} was signed out, and gets a temporary password by e-mail."
    answer(asked, Changed(_user(_find(console, email)), said))


def token(context: typer.Context, *, email: Annotated[str, typer.Option(help="The user's address.")]) -> None:
    """Print an access token of the web console, valid for ten minutes. Asks for the password and the code."""
    asked: Asked = context.obj
    login = ConsoleLogin(asked.where.console_url())
    session = login.password(email, typer.prompt("Password", hide_input=True, err=True))
    access_token = login.code(email, session, typer.prompt("Code of the authenticator", err=True))
    typer.echo(json.dumps({"access_token": access_token}) if asked.as_json else access_token)


def _change(asked: Asked, email: str, changes: dict[str, Any], done: str) -> None:
    console = asked.where.open_console()
    person = console.ask("PATCH", f"/users/{_find(console, email)['user_id']}", changes)
    answer(asked, Changed(_user(person), done))


def _find(console: ConsoleApi, email: str) -> dict[str, Any]:
    """The user's record. Refused for an unknown address."""
    for person in console.ask("GET", "/users")["people"]:
        if person["email"] == email.strip().lower():
            return dict(person)
    raise Refused(f"There is no user with the address '{email}': ./manage.py users list")


def _user(person: dict[str, Any]) -> ConsoleUser:
    app_ids = person["app_ids"]
    return ConsoleUser(
        email=person["email"],
        role=person["role"],
        state=person["state"],
        second_factor=person["has_second_factor"],
        apps="all" if app_ids is None else tuple(app_ids),
        last_action=person["last_action_at"] or "",
    )
