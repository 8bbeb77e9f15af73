"""Every verb of the store, in one operation or more. A Redis that lost a reply, or is away, is shown them."""

from tests.store.operation import Operation
from tests.store.operations_of_admins import OPERATIONS_OF_ADMINS
from tests.store.operations_of_managers import OPERATIONS_OF_MANAGERS
from tests.store.operations_of_users import OPERATIONS_OF_USERS
from tests.store.operations_on_records import OPERATIONS_ON_RECORDS
from tests.store.operations_on_requests import OPERATIONS_ON_REQUESTS
from tests.store.operations_on_tasks import OPERATIONS_ON_TASKS
from tests.store.operations_on_tokens import OPERATIONS_ON_TOKENS
from tests.store.operations_on_vms import OPERATIONS_ON_VMS

OPERATIONS: tuple[Operation, ...] = (
    *OPERATIONS_OF_USERS,
    *OPERATIONS_ON_VMS,
    *OPERATIONS_OF_ADMINS,
    *OPERATIONS_ON_TOKENS,
    *OPERATIONS_OF_MANAGERS,
    *OPERATIONS_ON_RECORDS,
    *OPERATIONS_ON_REQUESTS,
    *OPERATIONS_ON_TASKS,
)
