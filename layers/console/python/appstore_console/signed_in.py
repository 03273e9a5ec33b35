"""The current rights of a person, whatever their token says: a token can be ten minutes old."""

from collections.abc import Callable

from appstore_console.http.problems import unavailable
from appstore_console.people import Accounts, NoSuchPerson, PeopleUnavailable, State
from appstore_console.rights import Person


def today_of(people: Accounts) -> Callable[[str], Person | None]:
    """The current person, for the gate of console_act; None for a person who cannot sign in (any more).

    Problem (503) if Cognito does not answer: an action then fails rather than trust a token.
    """

    def today(user_id: str) -> Person | None:
        try:
            account = people.get(user_id)
        except NoSuchPerson:
            return None
        except PeopleUnavailable as error:
            raise unavailable(str(error)) from None
        if account.state is not State.ACTIVE:
            return None
        return Person(account.user_id, account.role, account.is_limited, account.email)

    return today
