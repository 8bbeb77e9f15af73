-- mark_suspect: set ready VMs aside that listings miss, or trust them again. Neither hands out nor destroys.
-- ARGS pool, to, vms
--
-- `to` is where they are to be: suspect or ready.
-- Returns the names that are there now.

local pool, to = ARG.pool, ARG.to
local from = to == 'suspect' and 'ready' or 'suspect'
local moved = {}
for _, vm in ipairs(ARG.vms) do
  local since = redis.call('ZSCORE', K[from] .. pool, vm)
  if since then
    redis.call('ZADD', K[to] .. pool, since, vm)
    redis.call('ZREM', K[from] .. pool, vm)
    event(to == 'suspect' and 'vm.suspect' or 'vm.ready', pool, vm)
  end
  if redis.call('ZSCORE', K[to] .. pool, vm) then table.insert(moved, vm) end
end
return moved
