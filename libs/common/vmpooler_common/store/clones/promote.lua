-- needs requests queue
-- promote: a pending VM has booted. It goes to the head of the pool's backlog, or it can be checked out,
-- first to checkouts that came before that, or, when the pool was drained since its name was reserved, to
-- destruction.
-- ARGV operation, vm, attempt
--
-- Returns {'ready', milliseconds since its name was reserved},
--         {'running', the same, request, user, milliseconds since the request was made},
--         or only {state} when it isn't pending (any more) by another operation.

local operation, vm = ARGV[1], ARGV[2]
local known = redis.call('HMGET', K.vm .. vm, 'state', 'attempt', 'pool', 'phase', 'reserved', 'op', 'ready',
  'request', 'user', 'waited', 'revision')
local state, pool = known[1], known[3]
if not state or known[2] ~= ARGV[3] then return { '' } end
if known[6] == operation and state == 'ready' then return { 'ready', int(known[7] - known[5]) } end
if known[6] == operation and state == 'running' then
  return { 'running', int(known[7] - known[5]), known[8], known[9], known[10] }
end
if state ~= 'pending' or known[4] ~= 'created' then return { state } end

local now = now_ms()
free_slot(vm, pool)
redis.call('HSET', K.lastboot, pool, int(now))
count_duration('boot', pool, now, now - known[5])
local item, stale = head(pool), is_stale(known[11], pool)
if item and not is_paused(pool) and (stale or not goes_before(pool, item)) then
  local user, waited = grant(item, vm, 'pending', operation, now)
  redis.call('HSET', K.vm .. vm, 'ready', int(now))
  return { 'running', int(now - known[5]), item.request, user, waited }
end
if stale then
  move(vm, pool, 'pending', 'completed', int(now),
    'op', operation, 'completed', int(now), 'reason', 'drained')
  return { 'completed' }
end
move(vm, pool, 'pending', 'ready', int(now), 'op', operation, 'ready', int(now))
return { 'ready', int(now - known[5]) }
