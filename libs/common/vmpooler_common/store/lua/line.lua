-- needs requests
-- line: a pool's backlog from the view of one request. Writes nothing.
-- ARGV request, pool
-- Returns {backlog, VMs that others get before the request's next one, ready VMs, clone slots in use for
--          requests, why the pool is broken or '', why clones are held back or '', phase of each pending VM...}

local request, pool = ARGV[1], ARGV[2]
local whose = user_key(request, redis.call('HGET', K.request .. request, 'user') or '')

-- Place of the request's first want among its user's own.
local own = 0
for _, want in ipairs(redis.call('ZRANGE', K.queue .. pool .. ':' .. whose, 0, -1)) do
  if string.match(want, '^(.*)#%d+$') == request then break end
  own = own + 1
end
-- Users take turns: who is before us gets one more than we do until then.
local ahead, before = own, true
for _, other in ipairs(redis.call('ZRANGE', K.turns .. pool, 0, -1)) do
  if other == whose then
    before = false
  else
    ahead = ahead + math.min(redis.call('ZCARD', K.queue .. pool .. ':' .. other), own + (before and 1 or 0))
  end
end

local reply = {
  redis.call('ZCARD', K.backlog .. pool),
  ahead,
  redis.call('ZCARD', K.ready .. pool),
  (slots_used(now_ms())),
  redis.call('HGET', K.broken, pool) or '',
  redis.call('HGET', K.held, pool) or '',
}
for _, vm in ipairs(redis.call('ZRANGE', K.pending .. pool, 0, 199)) do
  table.insert(reply, redis.call('HGET', K.vm .. vm, 'phase') or 'reserved')
end
return reply
