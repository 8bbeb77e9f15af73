-- claim_destruction: take over the destruction of VMs that are due, under a lease.
-- ARGS operation, manager, lease, vms
-- REPLY name, pool, provider, provider_id, attempt, phase, tries, waiting, reason, user
--
-- One reply for each claimed VM; `waiting` is in ms since it was completed. VMs of a provider at which
-- deletion
-- is paused are left alone.

local operation, now = ARG.operation, now_ms()
local claimed = {}
for _, vm in ipairs(ARG.vms) do
  local known = redis.call('HMGET', K.vm .. vm, 'state', 'pool', 'id', 'attempt', 'phase', 'tries',
    'completed', 'provider', 'claim', 'reason', 'user')
  local state, pool = known[1], known[2]
  local mine = state == 'destroying' and known[9] == operation
  local due = (state == 'completed' or state == 'destroying')
    and tonumber(redis.call('ZSCORE', K[state] .. pool, vm)) <= now
  if (mine or due) and redis.call('HEXISTS', K.deletion_paused, known[8]) == 0 then
    local lease = int(now + ARG.lease)
    if state == 'completed' then
      move(vm, pool, 'completed', 'destroying', lease, 'claim', operation, 'manager', ARG.manager)
    else
      redis.call('ZADD', K.destroying .. pool, lease, vm)
      redis.call('HSET', K.vm .. vm, 'claim', operation, 'manager', ARG.manager)
    end
    table.insert(claimed, {
      name = vm, pool = pool, provider = known[8], provider_id = known[3] or '', attempt = known[4] or '',
      phase = known[5] or '', tries = known[6] or '0', waiting = int(now - (known[7] or now)),
      reason = known[10] or '', user = known[11] or '',
    })
  end
end
return cjson.encode(claimed)
