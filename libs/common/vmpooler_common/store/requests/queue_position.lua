-- needs requests queue
-- queue_position: where an open on-demand request stands in the queues of the pools that it waits for, which
-- it shares with waiting checkouts (prelude_queue.lua). Writes nothing.
-- ARGS request, token
-- REPLY now, slots_in_use, viewer, pools
--
-- `slots_in_use` are clone slots for requests. Each pool has its name as `pool`, backlog, ready (VMs), broken
-- and
-- backing_off (reasons or ''), ahead: {number of an item, VMs not ready yet that others get before it...},
-- pending: {reserved, cloning, booting}, and owed: the VMs, ready or not, that are owed to checkouts that
-- came before our next VM, with holders: user, address, since and vms of each of these. `viewer` is whose the
-- token (its digest, or '') of whoever asks is, or ''.

local OWED_COUNTED = 1000 -- VMs, at most, that are counted for waiting checkouts

local request, now = ARG.request, now_ms()
local known = redis.call('HMGET', K.request .. request, 'status', 'client')
local viewer = ARG.token ~= '' and redis.call('HGET', K.token .. ARG.token, 'user') or ''
local reply = { now = int(now), slots_in_use = (slots_used(now)), viewer = viewer, pools = {} }
if known[1] ~= 'open' then return cjson.encode(reply) end
local whose = turn_key(request, known[2])

-- Users take turns: who is before us gets one more than we do until our own n-th VM, who is after us as many.
-- Our first VM comes after the checkouts that are older than our turn; the others after all that wait now,
-- for by then we have taken new turns. Ready VMs go to those checkouts first.
local function ahead_in(pool, ready)
  local others, before = {}, 1
  local turn = tonumber(redis.call('ZSCORE', K.turns .. pool, whose) or '0')
  local older = math.min(owed(pool, OWED_COUNTED, turn, 2 * OWED_COUNTED), OWED_COUNTED)
  local all = math.min(owed(pool, OWED_COUNTED, nil, 2 * OWED_COUNTED), OWED_COUNTED)
  local next_owed, before_us = 0, turn
  for _, user in ipairs(redis.call('ZRANGE', K.turns .. pool, 0, -1)) do
    if user == whose then
      before = 0
    else
      table.insert(others, { redis.call('ZCARD', K.user_queue .. pool .. ':' .. user), before })
    end
  end
  local found = {}
  for at, item in ipairs(redis.call('ZRANGE', K.user_queue .. pool .. ':' .. whose, 0, -1)) do
    local own = at - 1
    local of_request, n = string.match(item, '^(.*)#(%d+)$')
    if of_request == request then
      local checkouts = own == 0 and older or all
      if not found[1] then
        next_owed = checkouts
        if own > 0 then before_us = nil end
      end
      local ahead = own + math.max(0, checkouts - ready)
      for _, other in ipairs(others) do ahead = ahead + math.min(other[1], own + other[2]) end
      table.insert(found, tonumber(n))
      table.insert(found, ahead)
    end
  end
  local holders = next_owed > 0 and holders_of(pool, OWED_COUNTED, before_us, 2 * OWED_COUNTED) or {}
  return found, next_owed, holders
end

local function pending_by_phase(pool)
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
  return { reserved = reserved, cloning = cloning, booting = booting }
end

local seen = {}
for n = 0, redis.call('HLEN', K.items .. request) - 1 do
  local item = read_item(request, int(n))
  if item.vm == '' and not seen[item.pool] then
    seen[item.pool] = true
    local ready = redis.call('ZCARD', K.ready .. item.pool)
    local ahead, checkouts, holders = ahead_in(item.pool, ready)
    table.insert(reply.pools, {
      pool = item.pool,
      backlog = redis.call('ZCARD', K.backlog .. item.pool),
      ready = ready,
      broken = redis.call('HGET', K.broken, item.pool) or '',
      backing_off = redis.call('HGET', K.backing_off, item.pool) or '',
      ahead = ahead,
      pending = pending_by_phase(item.pool),
      owed = checkouts,
      holders = holders,
    })
  end
end
return cjson.encode(reply)
