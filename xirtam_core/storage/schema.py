"""The account database's tables, as steps forward. A step, once released, never changes.

Times are Unix seconds (`_s`) or nanoseconds (`_ns`); all stay below 2^63. Hashes and keys are raw bytes, structures are BCS.
"""

from xirtam_core.storage.schema_steps import groups_and_moves, one_account, several_servers

STEPS = (one_account.STEP, several_servers.STEP, groups_and_moves.STEP)
