-- needs requests queue
-- serve_backlog: give ready VMs of a pool to its backlog, the longest ready one first; not those that are
-- owed to checkouts that came before it.
-- ARGV operation, pool, most VMs to give
-- Returns per VM: name, provider id, request, user, milliseconds since the request was made: flat.

local operation, pool, now = ARGV[1], ARGV[2], now_ms()
local served = remembered(operation)
if served then return served end
served = {}
for _, vm in ipairs(redis.call('ZRANGE', K.ready .. pool, 0, tonumber(ARGV[3]) - 1)) do
  local want = head(pool)
  if not want then break end
  local ready = redis.call('ZCARD', K.ready .. pool)
  if owed(pool, ready, want.turn) >= ready then break end
  local user, waited = grant(want, vm, 'ready', operation, now)
  for _, value in ipairs({ vm, redis.call('HGET', K.vm .. vm, 'id') or '', want.request, user, waited }) do
    table.insert(served, value)
  end
end
return #served > 0 and remember(operation, served) or served
