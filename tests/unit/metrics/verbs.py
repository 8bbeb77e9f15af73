"""Every verb of every catalogue as it is told once; `golden_files` keeps what it changes."""

from tests.unit.metrics.api_verbs import API_VERBS
from tests.unit.metrics.manager_verbs import MANAGER_VERBS
from tests.unit.metrics.shared_verbs import shared_verbs

VERBS = (*API_VERBS, *MANAGER_VERBS, *shared_verbs("api"), *shared_verbs("manager"))
