"""Every verb of the store, in one act or more. A Redis that lost a reply, or is away, is shown them."""

from tests.store.act import Act
from tests.store.acts_of_changes import ACTS_OF_CHANGES
from tests.store.acts_of_managers import ACTS_OF_MANAGERS
from tests.store.acts_of_operators import ACTS_OF_OPERATORS
from tests.store.acts_of_users import ACTS_OF_USERS
from tests.store.acts_on_tokens import ACTS_ON_TOKENS
from tests.store.request_acts import REQUEST_ACTS
from tests.store.task_acts import TASK_ACTS

ACTS: tuple[Act, ...] = (
    *ACTS_OF_USERS,
    *ACTS_OF_CHANGES,
    *ACTS_OF_OPERATORS,
    *ACTS_ON_TOKENS,
    *ACTS_OF_MANAGERS,
    *REQUEST_ACTS,
    *TASK_ACTS,
)
