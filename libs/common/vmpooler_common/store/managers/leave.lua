-- leave: a manager that stops gives its pools and its unfinished work to the others.
-- ARGS manager, vms
--
-- `vms` are those that it was creating or destroying, or did tasks to.

local manager, now = ARG.manager, now_ms()
local known_until_now = redis.call('ZREM', K.managers, manager) == 1
redis.call('DEL', K.manager .. manager)
local leases = redis.call('HGETALL', K.leases)
for at = 1, #leases, 2 do
  if string.match(leases[at + 1], '^%d+ (.*)$') == manager then redis.call('HDEL', K.leases, leases[at]) end
end
for _, vm in ipairs(ARG.vms) do
  local known = redis.call('HMGET', K.vm .. vm, 'state', 'manager', 'pool', 'worker')
  if known[2] == manager and known[1] == 'destroying' then
    redis.call('ZADD', K.destroying .. known[3], 'XX', int(now), vm)
  elseif known[2] == manager and known[1] == 'pending' then
    redis.call('HSET', K.vm .. vm, 'lease', int(now))
  elseif known[4] == manager and known[1] == 'running' then
    redis.call('ZADD', K.tasks_due, 'XX', int(now), vm)
  end
end
if known_until_now then event('manager.left', '', '') end
return 'ok'
