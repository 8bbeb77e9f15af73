-- claim_destruction: take over the destruction of VMs that are due, under a lease.
-- ARGV operation, manager, lease in ms, vm...
-- Returns per claimed VM: name, pool, provider, provider id or '', attempt or '', phase or '', tries so far,
--         milliseconds since it was completed, reason, user: flat. VMs of a halted provider are left alone.

local operation, now = ARGV[1], now_ms()
local claimed = {}
for at = 4, #ARGV do
  local vm = ARGV[at]
  local known = redis.call('HMGET', K.vm .. vm, 'state', 'pool', 'id', 'attempt', 'phase', 'tries',
    'completed', 'provider', 'claim', 'reason', 'user')
  local state, pool = known[1], known[2]
  local mine = state == 'destroying' and known[9] == operation
  local due = (state == 'completed' or state == 'destroying')
    and tonumber(redis.call('ZSCORE', K[state] .. pool, vm)) <= now
  if (mine or due) and redis.call('HEXISTS', K.deletion_paused, known[8]) == 0 then
    local lease = int(now + ARGV[3])
    if state == 'completed' then
      move(vm, pool, 'completed', 'destroying', lease, 'claim', operation, 'manager', ARGV[2])
    else
      redis.call('ZADD', K.destroying .. pool, lease, vm)
      redis.call('HSET', K.vm .. vm, 'claim', operation, 'manager', ARGV[2])
    end
    for _, value in ipairs({ vm, pool, known[8], known[3] or '', known[4] or '', known[5] or '',
      known[6] or '0', int(now - (known[7] or now)), known[10] or '', known[11] or '' }) do
      table.insert(claimed, value)
    end
  end
end
return claimed
