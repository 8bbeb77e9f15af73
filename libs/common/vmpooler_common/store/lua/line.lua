-- needs requests
-- line: where an open on-demand request stands in the lines of the pools that it waits for. Writes nothing.
-- ARGV request
-- Returns {now, clone slots in use for requests, then per pool:
--          {pool, backlog, ready VMs, why it is broken or '', why clones are held back or '',
--           {number of a wanted VM, VMs that others get before it...: flat},
--           pending VMs by how far they are: {reserved, cloning, booting}}}

local request, now = ARGV[1], now_ms()
local known = redis.call('HMGET', K.request .. request, 'status', 'user')
local reply = { int(now), (slots_used(now)) }
if known[1] ~= 'open' then return reply end
local whose = user_key(request, known[2])

-- Users take turns: who is before us gets one more than we do until our own n-th VM, who is after us as many.
local function places(pool)
  local others, before = {}, 1
  for _, user in ipairs(redis.call('ZRANGE', K.turns .. pool, 0, -1)) do
    if user == whose then
      before = 0
    else
      table.insert(others, { redis.call('ZCARD', K.queue .. pool .. ':' .. user), before })
    end
  end
  local found = {}
  for at, want in ipairs(redis.call('ZRANGE', K.queue .. pool .. ':' .. whose, 0, -1)) do
    local own = at - 1
    local of_request, n = string.match(want, '^(.*)#(%d+)$')
    if of_request == request then
      local ahead = own
      for _, other in ipairs(others) do ahead = ahead + math.min(other[1], own + other[2]) end
      table.insert(found, tonumber(n))
      table.insert(found, ahead)
    end
  end
  return found
end

local function making(pool)
  local reserved, cloning, booting = 0, 0, 0
  for _, vm in ipairs(redis.call('ZRANGE', K.pending .. pool, 0, 199)) do
    local facts = redis.call('HMGET', K.vm .. vm, 'phase', 'cloned')
    if facts[2] then
      booting = booting + 1
    elseif facts[1] == 'reserved' then
      reserved = reserved + 1
    else
      cloning = cloning + 1
    end
  end
  return { reserved, cloning, booting }
end

local seen = {}
for n = 0, redis.call('HLEN', K.wants .. request) - 1 do
  local want = read_want(request, int(n))
  if want.vm == '' and not seen[want.pool] then
    seen[want.pool] = true
    table.insert(reply, {
      want.pool,
      redis.call('ZCARD', K.backlog .. want.pool),
      redis.call('ZCARD', K.ready .. want.pool),
      redis.call('HGET', K.broken, want.pool) or '',
      redis.call('HGET', K.held, want.pool) or '',
      places(want.pool),
      making(want.pool),
    })
  end
end
return reply
