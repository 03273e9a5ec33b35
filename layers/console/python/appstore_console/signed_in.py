"""Who somebody is at this moment, whatever their token says: it was written up to ten minutes ago."""

from collections.abc import Callable

from appstore_console.http.problems import unavailable
from appstore_console.people import Accounts, NoSuchPerson, PeopleUnavailable, State
from appstore_console.rights import Person


def today_of(people: Accounts) -> Callable[[str], Person | None]:
    """What the gate of console_act asks: the person, None for whoever may not sign in (any more).

    Problem (503) where Cognito does not answer: an action waits rather than believe a token.
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
